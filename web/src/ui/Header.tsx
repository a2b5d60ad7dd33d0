/* SPDX-License-Identifier: MIT */
/* The strip at the top: name, clusters, the state of everything in three words, clock, person. */
import type { ClusterState } from '../generated/topics.ts';
import { plural } from '../lib/format.ts';
import { clusters, clusterTopic, doc } from '../store/docs.ts';
import { sourceFreshness } from '../store/fresh.ts';
import { loaded } from '../store/link.ts';
import { nobody, session } from '../store/session.ts';
import { troubles } from '../store/trouble.ts';
import { accountOpen, chooseCluster, cluster, helpOpen, searchOpen, show } from '../store/view.ts';
import { mode, MODE_NAMES, MODES, nextMode } from '../store/mode.ts';
import { Autonomy } from './Acting.tsx';
import { Icon } from './Icon.tsx';
import { Clock } from './Side.tsx';

export function Mark() {
	return (
		<svg class="mark" viewBox="-16 -16 32 32" aria-hidden="true">
			<path
				class="mark-arc"
				d="M0 -13A13 13 0 0 1 13 0M12.6 5A13 13 0 0 1 -5 12.1M-9.2 9.2A13 13 0 0 1 -5 -12.1"
			/>
			<circle class="mark-core" r="5" />
		</svg>
	);
}

function ClusterTab({ name }: { name: string }) {
	const c = doc<ClusterState>(clusterTopic(name)).value;
	const live = sourceFreshness('proxmox-poller', clusterTopic(name), 'resources').value === 'live';
	const bad = !live || c?.quorate === false;
	return (
		<button
			type="button"
			aria-pressed={cluster.value === name}
			class={bad ? 'bad' : ''}
			onClick={() => chooseCluster(name)}
		>
			{bad && <Icon name={live ? 'error' : 'stale'} />}
			{name}
		</button>
	);
}

function Clusters() {
	const names = clusters.value;
	if (names.length < 2) return null;
	return (
		<nav class="clusters" aria-label="Clusters">
			{names.map((n) => <ClusterTab key={n} name={n} />)}
		</nav>
	);
}

function Nominal() {
	return (
		<div class="overall ok">
			<Icon name="online" />
			<span>All <span class="wide-only">systems </span>nominal</span>
		</div>
	);
}

function Overall() {
	const list = troubles.value;
	const bad = list.filter((t) => t.level === 'crit').length;
	if (nobody.value) return <div class="overall" />;
	if (!loaded.value) return <div class="overall waiting">Waiting for data</div>;
	if (list.length === 0) return <Nominal />;
	return (
		<button
			type="button"
			class={`overall ${bad ? 'crit' : 'warn'}`}
			title={list.map((t) => t.text).join('\n')}
			onClick={() => show('overview')}
		>
			<Icon name="error" />
			<span class="overall-count">{plural(list.length, 'trouble')}</span>
			{list.length === 1 && <span class="overall-text">{list[0]!.text}</span>}
		</button>
	);
}

function Insecure() {
	if (!session.value?.insecure) return null;
	return (
		<span class="insecure" title="This browser talks to Jarvis over plain HTTP: put it behind HTTPS.">
			<Icon name="lock" />
			<span>not encrypted</span>
		</span>
	);
}

export function ModeButton({ words: shown }: { words?: boolean }) {
	const next = MODES[(MODES.indexOf(mode.value) + 1) % MODES.length]!;
	const words = `Look: ${MODE_NAMES[mode.value]}. Change to ${MODE_NAMES[next]}`;
	return (
		<button type="button" class={shown ? 'button' : 'icon-button mode-button'} aria-label={words} title={`${words} (m)`} onClick={nextMode}>
			{shown ? `Look: ${MODE_NAMES[mode.value]}` : <Icon name="mode" />}
		</button>
	);
}

export function Header() {
	return (
		<header class="top">
			<div class="brand">
				<Mark />
				<h1>Jarvis</h1>
			</div>
			<Clusters />
			<Overall />
			<Insecure />
			<div class="top-end">
				<Autonomy />
				<button
					type="button"
					class="finder"
					aria-label="Search everything"
					aria-keyshortcuts="Control+K /"
					onClick={() => (searchOpen.value = true)}
				>
					<Icon name="search" />
					<span>Search</span>
				</button>
				<ModeButton />
				<button
					type="button"
					class="icon-button wide-only"
					aria-label="Keys and search"
					title="Keys and search (?)"
					onClick={() => (helpOpen.value = true)}
				>
					<Icon name="help" />
				</button>
				<button
					type="button"
					class="person"
					aria-label={`Account of ${session.value?.user ?? 'nobody'}`}
					onClick={() => (accountOpen.value = true)}
				>
					<Icon name="user" />
					<span>{session.value?.user ?? 'nobody'}</span>
					{session.value?.must_change_password && <span class="dot">
						<span class="sr">the password is the initial one</span>
					</span>}
				</button>
				<Clock />
			</div>
		</header>
	);
}
