/* SPDX-License-Identifier: MIT */
/* The page: three columns on a desktop, one with a bar of tabs on a phone. */
import type { JSX } from 'preact';
import { waiting } from '../store/acting.ts';
import { cluster, covered, selected, show, view, VIEWS, type View } from '../store/view.ts';
import { VIEW_NAMES } from '../store/everything.ts';
import { loaded } from '../store/link.ts';
import { loginState, nobody } from '../store/session.ts';
import { dismiss, toasts, unseen, type Toast } from '../store/toasts.ts';
import { troubles } from '../store/trouble.ts';
import { Act } from './Acting.tsx';
import { BackupsView } from './Backups.tsx';
import { Banner } from './Banner.tsx';
import { Detail } from './Detail.tsx';
import { Account, Login } from './Dialogs.tsx';
import { GuestsSide, GuestsView } from './Guests.tsx';
import { HardwareView } from './Hardware.tsx';
import { Header } from './Header.tsx';
import { HealthView } from './Health.tsx';
import { Help } from './Help.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { NodesPanel } from './Nodes.tsx';
import { Below } from './Overview.tsx';
import { Palette } from './Palette.tsx';
import { Empty, Panel } from './parts.tsx';
import { ClusterPanel } from './Ring.tsx';
import { ActivityPanel, AttentionPanel, HealthPanel, ServicesPanel } from './Side.tsx';
import { StoragePanel, StorageView } from './Storage.tsx';
import { ActivityView } from './Tasks.tsx';

const VIEW_ICON: Record<View, IconName> = {
	overview: 'ring', guests: 'table', storage: 'disk', backups: 'vault', hardware: 'heat', activity: 'pulse', health: 'shield',
	actions: 'act', audit: 'task',
};
/** What a phone's bar has no room for is one tap further, behind Health. */
const PHONE: readonly View[] = ['overview', 'guests', 'storage', 'backups', 'health', 'actions'];
/** Reached from Actions. */
const HIDDEN: readonly View[] = ['audit'];

function Waiting() {
	return (
		<Panel title="Cluster" class="cluster" on="overview">
			<div class="waiting-body">
				<svg class="ring" viewBox="-205 -205 410 410" aria-hidden="true">
					<circle class="dial-ticks" r="194" pathLength={720} />
					<circle class="dial-line" r="160" />
					<circle class="dial-inner" r="94" />
				</svg>
				<Empty>
					{loaded.value ? 'No cluster has been reported. Is proxmox-poller running?' : 'Waiting for data.'}
				</Empty>
			</div>
		</Panel>
	);
}

function Overview() {
	const name = cluster.value;
	return name ? <><ClusterPanel cluster={name} /><Below cluster={name} /></> : <Waiting />;
}

const CENTRE: Record<View, () => JSX.Element> = {
	overview: Overview, guests: GuestsView, storage: StorageView, backups: BackupsView, hardware: HardwareView,
	activity: ActivityView, health: HealthView, actions: () => <Act draw={(a) => <a.ActionsView />} />,
	audit: () => <Act draw={(a) => <a.AuditView />} />,
};

function Badge({ count, tone, what }: { count: number; tone: string; what: string }) {
	return count > 0 ? <b class={`badge ${tone}`}>{count}<span class="sr"> {what}</span></b> : null;
}

/** The strip over the centre on a desktop, the bar at the bottom of a phone. */
function Views() {
	const count = troubles.value.length;
	return (
		<nav class="views" aria-label="Views">
			{VIEWS.filter((v) => !HIDDEN.includes(v)).map((v, i) => (
				<button
					key={v}
					type="button"
					class={PHONE.includes(v) ? '' : 'desk-only'}
					aria-current={view.value === v || (v === 'actions' && view.value === 'audit') ? 'page' : undefined}
					title={`${VIEW_NAMES[v]} (${i + 1})`}
					onClick={() => show(v)}
				>
					<Icon name={VIEW_ICON[v]} />
					<span>{VIEW_NAMES[v]}</span>
					{v === 'overview' && <Badge count={count} tone={troubles.value[0]?.level ?? ''} what="troubles" />}
					{v === 'actions' && <Badge count={waiting.value.length} tone="warn" what="wait for a person" />}
				</button>
			))}
		</nav>
	);
}

function ToastList({ list, role }: { list: Toast[]; role: 'status' | 'alert' }) {
	return (
		<div role={role} aria-live={role === 'alert' ? 'assertive' : 'polite'}>
			{list.map((t) => (
				<div key={t.id} class={`toast tone-${t.tone}`}>
					<Icon name={t.tone === 'crit' ? 'error' : 'check'} />
					<div><b>{t.title}</b>{t.text && <span>{t.text}</span>}</div>
					{t.act && <button type="button" class="button small" onClick={() => (dismiss(t.id), t.act!.run())}>{t.act.label}</button>}
					<button type="button" class="icon-button" aria-label={`Dismiss: ${t.title}`} onClick={() => dismiss(t.id)}>
						<Icon name="close" />
					</button>
				</div>
			))}
			{role === 'alert' && list.length > 0 && unseen.value > 0 && <div class="toast tone-crit">
				<Icon name="error" /><div>and {unseen.value} more, see Activity</div>
			</div>}
		</div>
	);
}

function Toasts() {
	const crit = toasts.value.filter((t) => t.tone === 'crit');
	return (
		<div class="toasts">
			<ToastList role="alert" list={crit} />
			<ToastList role="status" list={toasts.value.filter((t) => t.tone !== 'crit')} />
		</div>
	);
}

/** What the centre says changes with the view; its scroll position begins anew, all others stay. */
function Centre() {
	const Shown = CENTRE[view.value];
	return (
		<div class="column centre">
			<Views />
			{selected.value ? <Detail /> : <Shown key={view.value} />}
		</div>
	);
}

function Columns() {
	const name = cluster.value;
	return (
		<main class="columns" data-view={view.value} data-open={selected.value ? '' : undefined}>
			<div class="column left">
				<NodesPanel cluster={name} />
				<GuestsSide />
				<StoragePanel cluster={name} />
			</div>
			<Centre />
			<div class="column right">
				<Act draw={(a) => <a.WaitingPanel />} />
				<AttentionPanel />
				<HealthPanel cluster={name} />
				<ServicesPanel cluster={name} />
				<ActivityPanel cluster={name} />
			</div>
		</main>
	);
}

export function App() {
	return (
		<>
			<div class="page" inert={loginState.value === 'out' || covered.value}>
				<Header />
				<Banner />
				{nobody.value ? <main class="columns" /> : <Columns />}
			</div>
			<Toasts />
			<Act draw={(a) => <a.Over />} />
			<Help />
			<Palette />
			<Account />
			<Login />
		</>
	);
}
