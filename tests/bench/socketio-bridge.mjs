// The peer: what one writes in an afternoon to show MQTT in a browser. `socketio-bridge.mjs SOCKET PORT FILTER`
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { connectMqtt } from '../stack/mqtt.mjs';

const [socket, port, filter] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const bus = await connectMqtt({ socket, user: 'observer', password: process.env.BRIDGE_PASSWORD });
bus.on('message', (topic, payload) => {
	if (payload.length > 0) io.emit('message', topic, JSON.parse(payload));
});
await bus.subscribeAsync(filter, { qos: 1 });
http.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
