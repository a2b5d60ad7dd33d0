/* SPDX-License-Identifier: MIT */
/* How full a node's own file systems are, when somebody looks. */
import { signal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { bytes, percent, share, visible } from '../../lib/format.ts';
import { onLeave } from '../../store/session.ts';
import { Icon } from '../Icon.tsx';
import { Bar, level, Part } from '../parts.tsx';
import { nothing, read, readInto, type Seen } from './reads.ts';
import { Again, deaf, Looked, placeOf, Unread, useLooked } from './Services.tsx';

interface FileSystem {
	mount: string;
	type: string;
	total: number;
	used: number;
	available: number;
	inodes: number | null;
	inodes_used: number | null;
}

const seenAt = new Map<string, Signal<Seen<FileSystem[]>>>();
onLeave(() => seenAt.clear());

function at(topic: string): Signal<Seen<FileSystem[]>> {
	if (!seenAt.has(topic)) seenAt.set(topic, signal<Seen<FileSystem[]>>(nothing));
	return seenAt.get(topic)!;
}

const get = (topic: string) => readInto(at(topic), async () => {
	const { value, note } = await read<{ items: FileSystem[] }>('disk_usage', { ...placeOf(topic) });
	return { value: value.items, note };
});

/** As df counts it: of what anybody but root could use. */
const fullness = (f: FileSystem) => share(f.used, f.used + f.available);
const INODES_SHOWN = 70;

function Row({ f, old }: { f: FileSystem; old: boolean }) {
	const [full, inodes] = [fullness(f), share(f.inodes_used, f.inodes)];
	return (
		<li class={`line ${old ? 'is-stale' : ''}`} data-mount={f.mount}>
			<span class="line-name">{visible(f.mount)} <span class="kind">{visible(f.type)}</span></span>
			<span class={`figure ${level(full)}`}>{percent(full)}</span>
			<span class="usage"><Bar value={full} label={`${f.mount} is full to`} /><span class="figure">{bytes(f.used)} of {bytes(f.total)}</span></span>
			{inodes !== null && inodes >= INODES_SHOWN && <span class={`line-more toned tone-${inodes >= 90 ? 'crit' : 'warn'}`}>{percent(inodes)} of its inodes are used</span>}
		</li>
	);
}

export function NodeFileSystems({ topic }: { topic: string }) {
	const box = useRef<HTMLDivElement>(null);
	const looked = useLooked(box);
	const why = deaf(topic);
	const seen = at(topic).value;
	useEffect(() => {
		if (looked && why === null) void get(topic);
	}, [looked, why === null, topic]);
	/* Where Jarvis does not get onto the nodes, the services say so; once is enough. */
	if (/executor\.ssh is not set|has no address/.test(seen.error)) return null;
	return (
		<Part
			title="File systems" class="hands"
			meta={<><Looked at={seen.at} busy={seen.busy} />
				<Again label="Look again at the file systems" busy={seen.busy} disabled={why !== null} onClick={() => void get(topic)} /></>}
		>
			<div ref={box}>
				{why && <p class="power-why"><Icon name="lock" /> {why}</p>}
				<Unread error={seen.error} />
				{seen.note && <p class="note">A part of it could not be read: {visible(seen.note)}</p>}
				<ul class="plain">{seen.value?.map((f) => <Row key={f.mount} f={f} old={seen.error !== ''} />)}</ul>
				{!seen.value && !seen.error && !seen.busy && <p class="note">Not looked at.</p>}
			</div>
		</Part>
	);
}
