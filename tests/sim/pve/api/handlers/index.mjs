/** Every simulated call: `METHOD /path/{template}` → handler(context) → data. */
import access from './access.mjs';
import agent from './agent.mjs';
import change from './change.mjs';
import cluster from './cluster.mjs';
import datacenter from './datacenter.mjs';
import guests from './guests.mjs';
import hardware from './hardware.mjs';
import node from './node.mjs';
import nodeactions from './nodeactions.mjs';
import power from './power.mjs';
import rrd from './rrd.mjs';
import storage from './storage.mjs';
import tasks from './tasks.mjs';

export const handlers = {
	...access, ...agent, ...change, ...cluster, ...datacenter, ...guests, ...hardware, ...node,
	...nodeactions, ...power, ...rrd, ...storage, ...tasks,
};
