/* SPDX-License-Identifier: MIT */
/* The page: three columns on a desktop, one with a bar of tabs on a phone. */
import { loginState, nobody } from '../store/session.ts';
import { dismiss, toasts } from '../store/toasts.ts';
import { accountOpen, cluster, helpOpen, selected, tab, type Tab } from '../store/view.ts';
import { loaded } from '../store/link.ts';
import { troubles } from '../store/trouble.ts';
import { Banner } from './Banner.tsx';
import { Detail } from './Detail.tsx';
import { Account, Help, Login } from './Dialogs.tsx';
import { GuestsPanel } from './Guests.tsx';
import { Header } from './Header.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { NodesPanel } from './Nodes.tsx';
import { Empty, Panel } from './parts.tsx';
import { ClusterPanel } from './Ring.tsx';
import { ActivityPanel, AttentionPanel, ConnectionPanel, QuorumPanel, ServicesPanel, TasksPanel } from './Side.tsx';
import { StoragePanel } from './Storage.tsx';

const TABS: { tab: Tab; label: string; icon: IconName }[] = [
	{ tab: 'cluster', label: 'Cluster', icon: 'ring' },
	{ tab: 'guests', label: 'Guests', icon: 'table' },
	{ tab: 'storage', label: 'Storage', icon: 'disk' },
	{ tab: 'activity', label: 'Activity', icon: 'pulse' },
	{ tab: 'system', label: 'Jarvis', icon: 'chip' },
];

function choose(t: Tab): void {
	tab.value = t;
	selected.value = '';
}

function TabBar() {
	const count = troubles.value.length;
	return (
		<nav class="tabs" aria-label="Parts of the page">
			{TABS.map((t) => (
				<button
					key={t.tab}
					type="button"
					aria-current={tab.value === t.tab ? 'page' : undefined}
					onClick={() => choose(t.tab)}
				>
					<Icon name={t.icon} />
					<span>{t.label}</span>
					{t.tab === 'cluster' && count > 0 && <b class={`badge ${troubles.value[0]!.level}`}>
						{count}<span class="sr"> troubles</span>
					</b>}
				</button>
			))}
		</nav>
	);
}

function Toasts() {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{toasts.value.map((t) => (
				<div key={t.id} class={`toast tone-${t.tone}`} role={t.tone === 'crit' ? 'alert' : undefined}>
					<Icon name={t.tone === 'crit' ? 'error' : 'check'} />
					<div><b>{t.title}</b>{t.text && <span>{t.text}</span>}</div>
					<button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(t.id)}>
						<Icon name="close" />
					</button>
				</div>
			))}
		</div>
	);
}

function Waiting() {
	return (
		<Panel title="Cluster" class="cluster" tab="cluster">
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

function Columns() {
	const name = cluster.value;
	return (
		<main class="columns" data-tab={tab.value}>
			<div class="column left">
				<NodesPanel cluster={name} />
				<StoragePanel cluster={name} />
			</div>
			<div class="column centre">
				{name ? <ClusterPanel cluster={name} /> : <Waiting />}
				<GuestsPanel />
			</div>
			<div class="column right">
				<div class="side">
					<AttentionPanel />
					<QuorumPanel cluster={name} />
					<TasksPanel cluster={name} />
					<ServicesPanel />
					<ActivityPanel />
					<ConnectionPanel cluster={name} />
				</div>
				<Detail />
			</div>
		</main>
	);
}

export function App() {
	const covered = loginState.value === 'out' || helpOpen.value || accountOpen.value;
	return (
		<>
			<div class="page" inert={covered}>
				<Header />
				<Banner />
				{nobody.value ? <main class="columns" /> : <><Columns /><TabBar /></>}
			</div>
			<Toasts />
			<Help />
			<Account />
			<Login />
		</>
	);
}
