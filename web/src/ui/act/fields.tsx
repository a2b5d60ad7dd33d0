/* SPDX-License-Identifier: MIT */
/* What a person must choose before it can be judged: names, nodes, storages, a file to fetch. */
import { useSignal } from '@preact/signals';
import type { GuestState, NodeState, ParameterListed, StorageState } from '../../generated/topics.ts';
import { bytes } from '../../lib/format.ts';
import { parameterFault, parameterHint, parameterValue } from '../../lib/parameters.ts';
import { fileOf } from '../../lib/power.ts';
import type { Wish } from '../../store/acting.ts';
import { doc, match, peekDoc, topicsOf } from '../../store/docs.ts';
import { downloadHosts, formOf } from './calls.ts';

interface Option {
	value: string;
	label: string;
}

function storagesFor(w: Wish): Option[] {
	const nodes = new Set(w.objects.map((t) => peekDoc<GuestState>(t)?.node));
	return topicsOf('STORAGE_STATE', w.cluster).value.flatMap((t) => {
		const s = doc<StorageState>(t).value;
		const fits = s && s.status === 'available' && s.content.includes('backup') && (!s.node || (nodes.size === 1 && nodes.has(s.node)));
		const free = s && s.total !== null && s.used !== null ? `, ${bytes(s.total - s.used)} free` : '';
		return fits ? [{ value: s.storage, label: `${s.storage}${free}` }] : [];
	});
}

function nodesFor(w: Wish): Option[] {
	const from = peekDoc<GuestState>(w.objects[0] ?? '')?.node;
	return topicsOf('NODE_STATE', w.cluster).value.flatMap((t) => {
		const n = doc<NodeState>(t).value;
		const free = n && n.maxmem !== null && n.mem !== null ? `, ${bytes(n.maxmem - n.mem)} memory free` : '';
		return n && n.status === 'online' && n.node !== from ? [{ value: n.node, label: `${n.node}${free}` }] : [];
	});
}

const stamp = () => new Date().toISOString().slice(0, 16).replace(/[-:]/g, '').replace('T', '-');

interface TextProps {
	name: string;
	label: string;
	hint?: string | undefined;
	pattern?: string;
	value?: string;
	max: number;
	type?: string;
	auto?: boolean;
}

function Text({ name, label, hint, pattern, value, max, type = 'text', auto }: TextProps) {
	return (
		<label class="field">
			<span>{label}</span>
			<input
				name={name} required maxLength={max} pattern={pattern} spellcheck={false} autocapitalize="off" autocomplete="off"
				{...{ type: type as 'text' }} data-autofocus={auto ? '' : undefined} defaultValue={value} aria-describedby={hint ? `hint-${name}` : undefined}
			/>
			{hint && <small id={`hint-${name}`} class="dim">{hint}</small>}
		</label>
	);
}

function Radios({ name, legend, options, none, auto, flat }: {
	name: string; legend: string; options: readonly Option[]; none?: string; auto?: boolean; flat?: boolean;
}) {
	if (options.length === 0) return <p class="hint">{none}</p>;
	return (
		<fieldset class={`choices ${flat ? 'flat' : ''}`}>
			<legend>{legend}</legend>
			{options.map((o, i) => (
				<label key={o.value}>
					<input type="radio" name={name} value={o.value} defaultChecked={i === 0} data-autofocus={auto && i === 0 ? '' : undefined} required />
					<span>{o.label}</span>
				</label>
			))}
		</fieldset>
	);
}

const KINDS: Readonly<Record<string, string>> = { iso: 'ISO image', vztmpl: 'container template', import: 'disk image' };
const of = (...values: string[]): Option[] => values.map((value) => ({ value, label: KINDS[value] ?? value }));

/** What a storage may be sent; nothing: no button for it. */
export const fetches = (s: StorageState) => Object.keys(KINDS).filter((k) => s.content.includes(k));

function Download({ w }: { w: Wish }) {
	const name = useSignal('');
	const s = doc<StorageState>(w.objects[0] ?? '').value;
	if (!s) return null;
	const shared = match(w.objects[0]!)?.words.node === '-';
	const nodes = s.nodes.filter((n) => n.status === 'available').map((n) => n.node);
	const hosts = downloadHosts.value;
	return (
		<div onInput={(e) => {
			const t = e.target as HTMLInputElement;
			if (t.name === 'url') name.value = fileOf(t.value);
		}}>
			<Radios flat name="content" legend="What it is" options={of(...fetches(s))} none="This storage takes neither images nor templates." />
			<Text auto name="url" type="url" label="Address" max={512} pattern="https://[A-Za-z0-9].*/.*" hint={hosts ? `https, from ${hosts.join(', ')}` : 'https'} />
			{/* A new proposal is a new field; what was typed in it stays until the address changes. */}
			<Text key={name.value} name="filename" label="File name" max={128} pattern="[A-Za-z0-9][A-Za-z0-9._+\-]*" value={name.value} />
			<Radios flat name="checksum_algorithm" legend="Checksum, as its publisher says it" options={of('sha256', 'sha512')} />
			<Text name="checksum" label="In hexadecimal" max={128} pattern="[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128}" hint="Without it nothing is fetched: what comes must be what was meant." />
			{shared && <Radios flat name="node" legend="The node that fetches it" options={of(...nodes)} none="No node reaches this storage now." />}
		</div>
	);
}

const isRunningVm = (t: string) => peekDoc<GuestState>(t)?.status === 'running' && peekDoc<GuestState>(t)?.type === 'qemu';

function Box({ name, label }: { name: string; label: string }) {
	return <label class="check"><input type="checkbox" name={name} /><span>{label}</span></label>;
}

/** A parameter of a command. What is wrong with it is said as soon as it was left, or was right before. */
function Parameter({ p, auto }: { p: ParameterListed; auto: boolean }) {
	const [value, told] = [useSignal(p.type === 'word' && p.words.length === 1 ? p.words[0]! : ''), useSignal(false)];
	const fault = parameterFault(p, value.value);
	const shown = told.value ? fault : '';
	const hint = parameterHint(p);
	const id = `hint-${p.name}`;
	const common = {
		/* No name: what is typed here must never pass for a proof. */
		'data-param': p.name, 'aria-describedby': hint || shown ? id : undefined, 'aria-invalid': shown ? true : undefined,
		'data-autofocus': auto ? '' : undefined, onBlur: () => void (told.value = value.value !== '' || told.value),
	};
	const take = (text: string) => {
		value.value = text;
		told.value ||= parameterFault(p, text) === '' || p.type === 'int';
	};
	return (
		<label class="field">
			<span>{p.name}</span>
			{p.type === 'word'
				? <select {...common} value={value.value} onChange={(e) => take(e.currentTarget.value)}>
					<option value="">choose…</option>
					{p.words.map((word) => <option key={word} value={word}>{word}</option>)}
				</select>
				: <input
					{...common} type="text" {...(p.type === 'int' ? { inputMode: 'numeric' as const } : {})} maxLength={512}
					spellcheck={false} autocapitalize="off" autocomplete="off" onInput={(e) => take(e.currentTarget.value)}
				/>}
			{(hint || shown) && <small id={id} class={shown ? 'fault' : 'dim'}>{shown || hint}</small>}
		</label>
	);
}

/** All of them, or null while one is missing or wrong. */
function commandArgs(params: readonly ParameterListed[], root: HTMLElement): Record<string, unknown> | null {
	const out: Record<string, string | number> = {};
	for (const p of params) {
		const text = root.querySelector<HTMLInputElement | HTMLSelectElement>(`[data-param="${CSS.escape(p.name)}"]`)?.value ?? '';
		if (parameterFault(p, text)) return null;
		out[p.name] = parameterValue(p, text);
	}
	return { params: out };
}

export function Fields({ w }: { w: Wish }) {
	if (w.tool === 'run_command') return <>{w.params?.map((p, i) => <Parameter key={p.name} p={p} auto={i === 0} />)}</>;
	if (w.tool === 'download_url') return <Download w={w} />;
	return (
		<>
			{w.tool === 'guest_snapshot' && <Text auto name="snapshot" label="Name of the snapshot" max={40} pattern="[A-Za-z][A-Za-z0-9_\-]+" value={`jarvis-${stamp()}`} />}
			{w.tool === 'guest_snapshot' && w.objects.some(isRunningVm) && <Box name="memory" label="with its memory" />}
			{w.tool === 'backup_now' && <Radios auto name="storage" legend="Where to" options={storagesFor(w)} none="No storage for backups can be reached from there." />}
			{w.tool === 'guest_migrate' && <Radios auto name="target_node" legend="To which node" options={nodesFor(w)} none="No other node is online." />}
			{w.tool === 'guest_migrate' && <Box name="local_disks" label="move disks on local storages too" />}
		</>
	);
}

const FLAGS = ['memory', 'local_disks'];

/** The arguments as they stand in the form; null while something in it is missing or wrong. */
export function argsOf(w: Wish, root: HTMLElement): Record<string, unknown> | null {
	if (w.tool === 'run_command') return commandArgs(w.params ?? [], root);
	const inputs = [...root.querySelectorAll('input')];
	const wanted = new Set(inputs.map((i) => i.name));
	if (formOf(w.tool).some((name) => !wanted.has(name)) || inputs.some((i) => !i.validity.valid)) return null;
	if (w.tool === 'download_url' && match(w.objects[0] ?? '')?.words.node === '-' && !wanted.has('node')) return null;
	const args: Record<string, unknown> = {};
	for (const i of inputs) {
		if (FLAGS.includes(i.name)) {
			if (i.checked) args[i.name] = true;
		} else if (i.type !== 'radio' || i.checked) args[i.name] = i.value;
	}
	return args;
}
