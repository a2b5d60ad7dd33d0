// The private gateway, safety gate and executor, beside the poller that they see by, and the person who asks them: what acts on
// a guest or on nodes. Nobody else can ask, and only what it was given a key for can be reached.
import { join } from 'node:path';
import { freePort } from '../stack/ports.mjs';
import { enrol, gateKeys } from '../stack/services.mjs';
import { Actor } from './actor.mjs';
import { Stand } from './stand.mjs';

const ACTORS = ['proxmox-poller', 'safety-gate', 'executor', 'gateway'].map((name) => ({ name }));
/** The first person that a gateway knows; nobody's in an installation. */
const PERSON = 'operator';

/**
 * {stand, actor}, running and logged in. `config`: as in use, but for what must not be acted on; `tokens`: cluster → secret of the
 * poller's token; `secrets`: the executor's, as file → text; `interrupted()`: as the actor's.
 */
export async function openActors({ build, scratch, config, tokens, secrets, interrupted }) {
	const port = await freePort();
	const jarvisctl = join(build, 'jarvisctl');
	for (const [name, secret] of Object.entries(tokens)) scratch.write(`${secret}\n`, 'secrets', 'proxmox-poller', `${name}.token`);
	for (const [file, text] of Object.entries(secrets)) scratch.write(`${text}\n`, 'secrets', 'executor', file);
	gateKeys(scratch.path('secrets'), jarvisctl);
	const proof = enrol(scratch.path('secrets'), jarvisctl, PERSON);
	scratch.write('<!doctype html>\n', 'web', 'index.html');
	const gateway = { listen: '127.0.0.1', port, web_dir: scratch.path('web'), required: ['proxmox-poller'] };
	const stand = new Stand({ build, scratch, config: { ...config, gateway }, readers: ACTORS });
	try {
		await stand.start();
		const actor = new Actor({ url: `http://127.0.0.1:${port}`, stand, proof, interrupted });
		await actor.login(PERSON, scratch.path('data', 'gateway', 'initial-password'));
		return { stand, actor };
	} catch (error) {
		await stand.stop();
		throw error;
	}
}
