/** The command line. */
import { pveVersion } from '../model/versions.mjs';

export const HELP = `A simulated Proxmox VE cluster with its real API, for demo, tests and bench.

  node tests/sim/pve/main.mjs --state DIR [options]

  --state DIR           where sim.json, certificates and secrets are written (needed)
  --cluster NAME        'reference' (default: home, 4 nodes, 32 guests) or a made-up one's name
  --nodes N --guests M  a made-up cluster of that size
  --standalone          one node that is in no cluster
  --one-endpoint [N]    only the first N (1) nodes get a listener (for very large clusters)
  --seed N              the same seed gives the same cluster (1)
  --pve VERSION         8, 9 (default), or 8.2, 8.4, 9.1 …
  --speed X             simulated time runs X times as fast (1)
  --epoch SECONDS       simulated time begins here instead of now
  --life on|off         tasks happening by themselves (on)
  --host ADDRESS        address of the endpoints (127.0.0.1)
  --port P              first endpoint's port, the next nodes follow (0: any)
  --control PORT        port of the control server (0: any)
  --control-host ADDR   its address (127.0.0.1); 0.0.0.0 only where nobody else comes
  --auth-delay MS       how late a 401 comes (3000)
  --idle-timeout MS     when an idle connection is closed (5000)
  --proxy-timeout MS    when a node gives up waiting for another (30000)
  --membership-delay S  simulated seconds until a death is noticed (1)
  --control-privs LIST  further privileges of the control token, e.g. Sys.Audit
  --die-with-parent     exit when stdin is closed
  --help
`;

const SPEC = {
	state: { kind: 'text' },
	cluster: { kind: 'text', value: 'reference' },
	nodes: { kind: 'count', value: null },
	guests: { kind: 'count', value: null },
	standalone: { kind: 'flag' },
	'one-endpoint': { kind: 'optional', value: null, given: 1 },
	seed: { kind: 'count', value: 1 },
	pve: { kind: 'text', value: '9' },
	speed: { kind: 'number', value: 1 },
	epoch: { kind: 'number', value: null },
	life: { kind: 'text', value: 'on' },
	host: { kind: 'text', value: '127.0.0.1' },
	port: { kind: 'count', value: 0 },
	control: { kind: 'count', value: 0 },
	'control-host': { kind: 'text', value: '127.0.0.1' },
	'auth-delay': { kind: 'count', value: 3000 },
	'idle-timeout': { kind: 'count', value: 5000 },
	'proxy-timeout': { kind: 'count', value: 30000 },
	'membership-delay': { kind: 'number', value: 1 },
	'control-privs': { kind: 'text', value: '' },
	'die-with-parent': { kind: 'flag' },
	help: { kind: 'flag' },
};

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/**
 * @param {string[]} argv
 * @returns {Record<string, any>} names in camelCase
 */
export function parseOptions(argv) {
	const out = {};
	for (const [name, spec] of Object.entries(SPEC)) {
		out[camel(name)] = spec.value ?? (spec.kind === 'flag' ? false : null);
	}
	const rest = [...argv];
	while (rest.length > 0) {
		const [, name, given] = /^(?:--)?([^=]*)(?:=(.*))?$/s.exec(rest.shift());
		const spec = SPEC[name];
		if (!spec) {
			throw new Error(`unknown option --${name} (see --help)`);
		}
		out[camel(name)] = readValue(name, spec, given, rest);
	}
	check(out);
	return out;
}

/** @param {string | undefined} given the part after `=`, else the next argument counts */
function readValue(name, spec, given, rest) {
	if (spec.kind === 'flag') {
		return !['false', '0', 'off'].includes(given);
	}
	if (spec.kind === 'optional' && !/^\d+$/.test(given ?? rest[0] ?? '')) {
		return spec.given;
	}
	const text = given ?? rest.shift();
	if (text === undefined) {
		throw new Error(`--${name} needs a value`);
	}
	if (spec.kind === 'text') {
		return text;
	}
	const value = Number(text);
	const whole = spec.kind !== 'number';
	if (text === '' || !(value >= 0) || (whole && !Number.isInteger(value))) {
		throw new Error(`--${name}: '${text}' is not a ${whole ? 'whole number' : 'number'}`);
	}
	return value;
}

function check(options) {
	if (options.help) {
		return;
	}
	if (!options.state) {
		throw new Error('--state DIR is needed (see --help)');
	}
	if (!['on', 'off'].includes(options.life)) {
		throw new Error(`--life: '${options.life}' is neither on nor off`);
	}
	if (!(options.speed > 0)) {
		throw new Error('--speed must be above 0');
	}
	pveVersion(options.pve);
}
