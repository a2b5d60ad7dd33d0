// A stand-in for a service of ours: says `online`, and `offline` on SIGTERM. Arguments: user, socket, password.
import { connectMqtt } from '../mqtt.mjs';

const [user, socket, password, mood] = process.argv.slice(2);
const topic = `jarvis/service/${user}/1/state`;
if (mood === 'dies') process.exit(3);
const will = { topic, payload: 'offline', retain: true, qos: 1 };
const client = await connectMqtt({ socket, user, password, will });
client.on('connect', () => client.publish(topic, 'online', { retain: true, qos: 1 }));
client.publish(topic, 'online', { retain: true, qos: 1 });
process.on('SIGTERM', async () => {
	if (mood === 'stubborn') return;
	setTimeout(() => process.exit(1), 500); // the broker may be gone already
	await client.publishAsync(topic, 'offline', { retain: true, qos: 1 });
	process.exit(0);
});
