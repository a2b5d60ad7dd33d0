// The options of startStack(), with what they default to.
import { SERVICES } from './services.mjs';

export const DEFAULTS = {
	base: 'jarvis',
	/** Where everything is written; default: below $SCRATCH or /tmp, removed on stop(). */
	data: null,
	/** Of the gateway; default: a free one. */
	port: 0,
	/** Plain MQTT on loopback beside the Unix socket; default: none. */
	mqttPort: 0,
	/** Rows of services.mjs by name, or rows of your own {name, command(stack) → argv}. */
	services: SERVICES.map(({ name }) => name),
	/** Arguments of the simulator; null for none. */
	sim: {},
	/** Folder of the binaries: "build", "build-address,undefined" … */
	build: process.env.JARVIS_BUILD ?? 'build',
	/** change(config) before jarvis.yaml is written. */
	config: undefined,
	/** A person who can approve: then `stack.proof` is {keyword, totp}. */
	enrol: null,
	/** Users of the broker beside our services: the remotes that jarvis.yaml names. */
	users: [],
	/** Text of the broker's ACL; default: what topicgen prints. */
	acl: null,
	/** What the observer subscribes to; with `true` it may see all there is (tests), else as READER. */
	observer: true,
	/** Start again what ended by itself, as an init system would. */
	supervise: false,
	/** How long a service may take to say `online`. */
	startMs: 15_000,
	/** How long a process may take to end on SIGTERM before it is killed. */
	stopMs: 5000,
	/** note(text): told what happens that nobody asked for. */
	note: (text) => process.stderr.write(`${text}\n`),
};

/** A misspelt option would otherwise be ignored without a word. */
export function withDefaults(options) {
	for (const key of Object.keys(options)) {
		if (!(key in DEFAULTS)) throw new Error(`startStack: no option "${key}"`);
	}
	return { ...DEFAULTS, ...options };
}
