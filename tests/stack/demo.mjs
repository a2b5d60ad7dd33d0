// `make demo`: the whole of Jarvis on a simulated cluster, in the foreground until a signal.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal, claimFolder, writeEnv } from './demo-files.mjs';
import { isFree } from './ports.mjs';
import { READER } from './services.mjs';
import { Stack } from './stack.mjs';

const USAGE = `usage: make demo [PORT=3004] [MQTT_PORT=1884] [DATA=run/demo]
   or: tools/node tests/stack/demo.mjs [--port N] [--mqtt-port N] [--data DIR]

Runs the dashboard on 127.0.0.1:PORT and MQTT on 127.0.0.1:MQTT_PORT until Ctrl-C or SIGTERM.
Everything is written below DATA; when all is ready, DATA/demo.env says how to reach it.
`;

const OPTIONS = {
	port: { type: 'string', default: '3004' },
	'mqtt-port': { type: 'string', default: '1884' },
	data: { type: 'string', default: 'run/demo' },
	help: { type: 'boolean', short: 'h' },
};

async function portFrom(text, variable) {
	const port = Number(text);
	if (!Number.isInteger(port) || port < 1 || port > 65535) {
		throw new Refusal(`${variable}=${text} is not a port number`);
	}
	if (!(await isFree(port))) {
		throw new Refusal(`port ${port} on 127.0.0.1 is taken: choose another with make demo ${variable}=…`);
	}
	return port;
}

function parse() {
	try {
		return parseArgs({ options: OPTIONS }).values;
	} catch (error) {
		throw new Refusal(`${error.message}\n${USAGE}`);
	}
}

function settings(stack, mqttPort) {
	return {
		URL: stack.url,
		USER: 'operator',
		// After the operator has chosen a password the first one is gone, and nobody but them knows.
		PASSWORD: stack.password ?? '',
		KEYWORD: stack.proof.keyword,
		TOTP_SECRET: stack.proof.totp,
		MQTT_HOST: '127.0.0.1',
		MQTT_PORT: mqttPort,
		MQTT_USER: READER,
		MQTT_PASSWORD: stack.passwords[READER],
		SIM_CONTROL_URL: stack.simInfo.control_url,
		SSH_CONTROL_URL: stack.sshInfo.control_url,
	};
}

function greet(env, data) {
	const control = (json, url = env.SIM_CONTROL_URL) => `curl -s -d '${json}' ${url}/control`;
	const sub = 'mosquitto_sub -h "$MQTT_HOST" -p "$MQTT_PORT" -u "$MQTT_USER" -P "$MQTT_PASSWORD"';
	console.log(`
Jarvis is ready, with a simulated cluster of four nodes.

  URL       ${env.URL}
  user      ${env.USER}
  password  ${env.PASSWORD || '(the one you chose)'}
  keyword   ${env.KEYWORD}   (approves what interrupts a service)
  codes     build/jarvisctl totp --file ${data}/totp   (approve what can lose data)

Four things to try:

  1. Open the URL and log in; type  cpu>20 -stopped  into the search of the guests.
  2. Pull the plug of a node, watch it go, and plug it in again:
       ${control('{"op":"node_down","node":"pve"}')}
       ${control('{"op":"node_up","node":"pve"}')}
  3. Let a service of a node fail, look at the node Home in the dashboard, and restart it there:
       ${control('{"op":"unit","node":"Home","unit":"smbd.service","state":"failed"}', env.SSH_CONTROL_URL)}
  4. Read along on the bus:
       ( . ${data}/demo.env; ${sub} -v -t 'jarvis/pve/#' )

Logs are in ${data}/log. Ctrl-C ends everything.`);
}

/** Resolves with the name of the first signal; later ones must not cut the teardown short. */
function firstSignal() {
	return new Promise((done) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => done(signal));
	});
}

async function main() {
	const values = parse();
	if (values.help) return void process.stdout.write(USAGE);
	process.stdout.on('error', () => {}); // a closed terminal ends nothing: the signal does
	const signal = firstSignal();
	const port = await portFrom(values.port, 'PORT');
	const mqttPort = await portFrom(values['mqtt-port'], 'MQTT_PORT');
	if (port === mqttPort) throw new Refusal(`PORT and MQTT_PORT are both ${port}: choose two`);
	const folder = claimFolder(resolve(values.data));
	const note = (text) => console.error(`demo: ${text}`);
	const stack = new Stack({ data: folder.path, port, mqttPort, observer: false, supervise: true, enrol: 'operator', note });
	try {
		const launching = stack.launch();
		folder.remember(stack.runtime);
		const launched = await Promise.race([launching, signal]);
		if (launched === stack) {
			const env = settings(stack, mqttPort);
			writeEnv(folder.path, env);
			writeFileSync(join(folder.path, 'totp'), `${env.TOTP_SECRET}\n`, { mode: 0o600 });
			greet(env, values.data);
			console.log(`\n${await signal}: stopping`);
		}
	} finally {
		await stack.stop();
		folder.release();
	}
}

main().then(() => process.exit(0), (error) => {
	console.error(`demo: ${error instanceof Refusal ? error.message : error.stack}`);
	process.exit(1);
});
