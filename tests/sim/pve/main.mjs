#!/usr/bin/env node
/** The Proxmox VE simulator. `--help` says how. */
import { startControl } from './control/server.mjs';
import { HELP, parseOptions } from './lib/options.mjs';
import { Sim } from './lib/sim.mjs';

function readOptions() {
	try {
		return parseOptions(process.argv.slice(2));
	} catch (err) {
		process.stderr.write(`pve-sim: ${err.message}\n`);
		process.exit(2);
	}
}

function exitOnRequest(sim, control, dieWithParent) {
	const leave = () => {
		sim.close();
		control.close();
		process.exit(0);
	};
	process.on('SIGTERM', leave);
	process.on('SIGINT', leave);
	if (dieWithParent) {
		process.stdin.on('end', leave).on('close', leave).on('error', leave).resume();
	}
}

async function main() {
	const options = readOptions();
	if (options.help) {
		process.stdout.write(HELP);
		return;
	}
	const sim = new Sim(options);
	await sim.open();
	const control = await startControl(sim, options.controlHost, options.control);
	sim.controlUrl = `http://127.0.0.1:${control.address().port}`;
	sim.writeFiles();
	exitOnRequest(sim, control, options.dieWithParent);
	process.stdout.write(`ready ${options.state}/sim.json control ${sim.controlUrl} ` +
		`nodes ${sim.cluster.nodes.size} guests ${sim.cluster.guests.size}\n`);
}

main().catch((err) => {
	process.stderr.write(`pve-sim: ${err.stack ?? err}\n`);
	process.exit(1);
});
