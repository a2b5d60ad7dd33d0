/* SPDX-License-Identifier: MIT */
/* The backup posture: every guest with its last good backup, the jobs, and what is left of guests that are gone. */
import type { BackupJob, GuestState, OrphanedBackup } from '../generated/topics.ts';
import { BACKUP_WORDS, type BackupWord } from '../lib/backup.ts';
import { bytes, DASH, plural } from '../lib/format.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { rows } from '../store/guests.ts';
import { backupCounts } from '../store/health.ts';
import { backupOf, backupsTopic, jobName, oldestSnapshot, posture, sibling } from '../store/objects.ts';
import { cluster, open, query } from '../store/view.ts';
import { Cell, enterGrid, focusGrid, Grid, type Column } from './Grid.tsx';
import { GuestName } from './GuestRow.tsx';
import { Count, Nothing, stands } from './Guests.tsx';
import type { IconName } from './Icon.tsx';
import { Empty, Panel, Part, Status, TopicStale, Unknown, When } from './parts.tsx';
import { Search } from './Search.tsx';

export const BACKUP_LOOK: Record<BackupWord, [IconName, string, string]> = {
	fine: ['check', 'ok', 'fine'],
	stale: ['clock', 'warn', 'too old'],
	failed: ['offline', 'crit', 'failed'],
	uncovered: ['error', 'warn', 'not covered'],
	never: ['none', 'crit', 'never'],
	unknown: ['unknown', 'none', 'unknown'],
};

export function BackupStatus({ topic }: { topic: string }) {
	const { b, word, live } = backupOf(topic);
	const [icon, tone, text] = BACKUP_LOOK[word];
	const why = b ? b.last_error ?? b.reason ?? '' : 'the poller has said nothing of its backups yet';
	if (b && !live) return <Status icon="stale" tone="stale" title="what is known of its backups is old">was {text}</Status>;
	return <Status icon={icon} tone={tone} title={why || undefined}>{text}</Status>;
}

const COLUMNS: Column[] = [
	{ key: 'backup', label: 'State' },
	{ key: 'vmid', label: 'ID' },
	{ key: 'name', label: 'Guest' },
	{ key: 'last', label: 'Last good' },
	{ key: 'size', label: 'Size' },
	{ key: 'kept', label: 'Kept' },
	{ key: 'jobs', label: 'Jobs', sorts: false },
	{ key: 'next', label: 'Next' },
	{ key: 'snapshot', label: 'Snapshot' },
];

function BackupCells({ row: topic }: { row: string }) {
	const g = doc<GuestState>(topic).value;
	const { b } = backupOf(topic);
	if (!g) return null;
	return (
		<>
			<Cell name="backup"><BackupStatus topic={topic} /></Cell>
			<Cell name="vmid">{g.vmid}</Cell>
			<GuestName g={g} />
			<Cell name="last"><When ms={b?.last_ok_ms} why={b?.reason ?? (b?.backups === 0 ? 'there is none' : null)} /></Cell>
			<Cell name="size">{b?.size ? bytes(b.size) : DASH}</Cell>
			<Cell name="kept">{b?.backups ?? DASH}</Cell>
			<Cell name="jobs" title={b?.jobs.join(', ')}>
				{b?.jobs.length ? b.jobs.map((j) => jobName(g.cluster, j)).join(', ') : b?.covered === false ? 'none' : <Unknown why={b?.reason} />}
			</Cell>
			<Cell name="next">{b?.next_run_ms ? <When ms={b.next_run_ms} future /> : DASH}</Cell>
			<Cell name="snapshot" title="its oldest snapshot"><When ms={oldestSnapshot(topic)} why="no snapshot" /></Cell>
		</>
	);
}

/** One state and how many guests are in it; pressed, it filters. */
function Chip({ word, n }: { word: BackupWord; n: number }) {
	const [icon, tone, text] = BACKUP_LOOK[word];
	const term = `backup:${word}`;
	const on = query.value === term;
	return (
		<button
			type="button"
			class={`chip tone-${n ? tone : 'none'}`}
			aria-pressed={on}
			disabled={n === 0 && !on}
			onClick={() => (query.value = on ? '' : term)}
		>
			<Status icon={icon} tone={n ? tone : 'none'}>{text}</Status>
			<b>{n}</b>
		</button>
	);
}

function Chips() {
	const n = backupCounts(cluster.value);
	return <div class="chips">{BACKUP_WORDS.map((w) => <Chip key={w} word={w} n={n[w]} />)}</div>;
}

function Job({ j }: { j: BackupJob }) {
	return (
		<li class="line">
			<span class="line-name">{j.comment || j.id}</span>
			{j.enabled ? <When ms={j.next_run_ms} future why="the next run is not known" />
				: <Status icon="paused" tone="warn">disabled</Status>}
			<span class="line-more">
				{[j.comment && j.id, j.schedule ?? 'no schedule', `to ${j.storage ?? DASH}`, j.node && `on ${j.node}`,
					j.guests === null ? '' : plural(j.guests, 'guest')].filter(Boolean).join(' · ')}
			</span>
		</li>
	);
}

function Orphan({ o }: { o: OrphanedBackup }) {
	return (
		<li class="line">
			<span class="line-name">guest {o.vmid}</span>
			<When ms={o.newest_ms} why="its age is not known" />
			<span class="line-more">{plural(o.backups, 'backup')} · {bytes(o.size)} · {o.storage}{o.node ? ` on ${o.node}` : ''}</span>
		</li>
	);
}

function Jobs() {
	const p = posture(cluster.value);
	const live = freshness(backupsTopic(cluster.value)).value === 'live';
	if (!p) return null;
	return (
		<Panel title="Jobs and orphans" class="jobs" on="backups" scrolls stale={!live}>
			<div class="pair">
				<Part title="Jobs" meta={plural(p.jobs.length, 'job')}>
					<ul class="plain">{p.jobs.map((j) => <Job key={j.id} j={j} />)}</ul>
					{p.jobs.length === 0 && <Empty>No backup job is set up.</Empty>}
				</Part>
				<Part title="Backups of guests that are gone" meta={p.orphans.length || null}>
					<ul class="plain">{p.orphans.map((o) => <Orphan key={`${o.vmid} ${o.storage} ${o.node}`} o={o} />)}</ul>
					{p.orphans.length === 0 && <Empty>None are left behind.</Empty>}
				</Part>
			</div>
		</Panel>
	);
}

export function BackupsView() {
	const topic = backupsTopic(cluster.value);
	const p = posture(cluster.value);
	return (
		<>
			<Panel
				title="Backups"
				class="backups"
				on="backups"
				meta={<>{p && <TopicStale topic={topic} />}<Count /><Search onEnter={enterGrid} onLeave={focusGrid} /></>}
			>
				{p ? <Chips /> : <Empty>Backups have not been reported yet: the poller reads them every few minutes.</Empty>}
				{p?.reason && <p class="note tone-warn">{p.reason}</p>}
				<Grid
					name="posture"
					label="Backups"
					columns={COLUMNS}
					rows={rows.value}
					cells={BackupCells}
					marks={(t) => (freshness(sibling(t, 'backup')).value === 'live' ? '' : 'is-stale')}
					open={open}
					usual="backup"
					stands={stands()}
				/>
				<Nothing />
			</Panel>
			<Jobs />
		</>
	);
}
