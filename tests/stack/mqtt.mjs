// Connects MQTT.js to the stack's broker: a second implementation of MQTT, so as not to believe libmosquitto alone.
import net from 'node:net';
import mqtt from 'mqtt';

/** `socket` is the path of the broker's Unix socket; or give `port` for loopback TCP. */
export async function connectMqtt({ socket, port, user, password, version = 5, ...more }) {
	const stream = () => net.connect(socket ? { path: socket } : { host: '127.0.0.1', port, noDelay: true });
	const client = new mqtt.MqttClient(stream, {
		protocolVersion: version,
		username: user,
		password,
		clientId: '',
		clean: true,
		reconnectPeriod: 200,
		connectTimeout: 5000,
		...more,
	});
	await new Promise((done, fail) => {
		const refused = (error) => (client.end(true), fail(new Error(`MQTT as ${user}: ${error.message}`)));
		client.once('error', refused);
		client.once('connect', () => (client.off('error', refused), done()));
	});
	client.on('error', () => {}); // it reconnects by itself
	return client;
}
