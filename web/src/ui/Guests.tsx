/* SPDX-License-Identifier: MIT */
/* The guests: a short list at the side, the whole table in the centre; the same rows, the same search. */
import type { ClusterState } from '../generated/topics.ts';
import { clusterTopic, doc } from '../store/docs.ts';
import { sourceAgeMs, sourceFreshness } from '../store/fresh.ts';
import { allGuests, rows, sideRows } from '../store/guests.ts';
import { cluster, open, query } from '../store/view.ts';
import { Act, acting } from './Acting.tsx';
import { enterGrid, focusGrid, Grid, type Column } from './Grid.tsx';
import { GuestBrief, GuestCells, guestMarks } from './GuestRow.tsx';
import { Empty, Panel, StaleTag } from './parts.tsx';
import { Search } from './Search.tsx';

const COLUMNS: Column[] = [
	{ key: 'status', label: 'Status' },
	{ key: 'vmid', label: 'ID' },
	{ key: 'name', label: 'Name' },
	{ key: 'node', label: 'Node' },
	{ key: 'cpu', label: 'CPU' },
	{ key: 'mem', label: 'Memory' },
	{ key: 'net', label: 'Network' },
	{ key: 'uptime', label: 'Up' },
];
const BRIEF: Column[] = COLUMNS.filter((c) => ['status', 'vmid', 'name', 'cpu', 'mem'].includes(c.key));

export function Count() {
	const found = rows.value.length;
	const all = allGuests.value.length;
	return <span role="status">{found === all ? `${all}` : `${found} of ${all}`}</span>;
}

export function Nothing() {
	if (rows.value.length > 0) return null;
	if (allGuests.value.length === 0) return <Empty>No guest has been reported.</Empty>;
	return (
		<div class="empty">
			No guest matches.
			<button type="button" class="button" onClick={() => (query.value = '')}>Clear search</button>
		</div>
	);
}

function GuestsStale() {
	const topic = clusterTopic(cluster.value);
	const verdict = sourceFreshness('proxmox-poller', topic, 'resources').value;
	if (verdict === 'live' || !doc<ClusterState>(topic).value) return null;
	return <StaleTag verdict={verdict} age={sourceAgeMs(topic, 'resources').value} />;
}

export const stands = () => `${cluster.value} ${query.value}`;

export function GuestsSide() {
	return (
		<Panel title="Guests" label="Guests in short" class="guests-side" meta={<><GuestsStale /><Count /></>}>
			<Grid
				bare
				name="brief"
				label="Guests"
				columns={BRIEF}
				rows={sideRows.value}
				cells={GuestBrief}
				marks={guestMarks}
				open={open}
				high={28}
				stands={stands()}
			/>
			<Nothing />
		</Panel>
	);
}

export function GuestsView() {
	return (
		<Panel
			title="Guests"
			class="guests"
			on="guests"
			meta={<><GuestsStale /><Count /><Search onEnter={enterGrid} onLeave={focusGrid} /></>}
		>
			<Act draw={(a) => <a.BatchBar />} />
			<Grid
				name="wide"
				label="Guests"
				columns={COLUMNS}
				rows={rows.value}
				cells={GuestCells}
				marks={guestMarks}
				open={open}
				stands={stands()}
				pick={acting.value?.picking()}
			/>
			<Nothing />
		</Panel>
	);
}
