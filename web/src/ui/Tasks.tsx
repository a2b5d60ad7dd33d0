/* SPDX-License-Identifier: MIT */
/* Tasks: all of the cluster, or those of one object. */
import type { Task, TasksState } from '../generated/topics.ts';
import { clockTime, duration, timeOrDay } from '../lib/format.ts';
import { entries, taskTitle } from '../store/activity.ts';
import { slowWall } from '../store/clock.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { guestTopic } from '../store/objects.ts';
import { cluster } from '../store/view.ts';
import { Act } from './Acting.tsx';
import { Icon } from './Icon.tsx';
import { Empty, Link, Panel, Part, Status, TopicStale } from './parts.tsx';
import { TASK_LOOK } from './Side.tsx';

const took = (t: Task) => duration((t.end_ms ?? slowWall.value) - t.start_ms);

function TaskTitle({ t, cluster: name }: { t: Task; cluster: string }) {
	const topic = t.id && /^\d+$/.test(t.id) ? guestTopic(name, t.id) : '';
	if (!topic || !doc(topic).value) return <>{taskTitle(t)}</>;
	return <>{t.type} <Link to={topic}>{t.id}</Link></>;
}

export function TaskRow({ t, cluster: name }: { t: Task; cluster: string }) {
	const [icon, tone] = TASK_LOOK[t.status];
	const bad = t.status === 'failed' || t.status === 'warning';
	return (
		<li class="task" title={`by ${t.user}`}>
			<Status icon={icon} tone={tone} title={t.exitstatus ?? t.status}><span class="sr">{t.status}</span></Status>
			<span class="task-title"><TaskTitle t={t} cluster={name} /></span>
			<span class="task-node">{t.node}</span>
			<span class="task-took">{took(t)}</span>
			<span class="task-time">{timeOrDay(t.start_ms, slowWall.value)}</span>
			<Act draw={(a) => <a.TaskTools t={t} cluster={name} />} />
			{bad && <span class={`task-why toned tone-${tone}`}>{t.exitstatus ?? t.status}</span>}
		</li>
	);
}

/** Tasks for which a test is true, as a part of a detail. */
export function TasksOf({ cluster: name, which, most = 8 }: { cluster: string; which: (t: Task) => boolean; most?: number }) {
	const topic = `pve/${name}/tasks`;
	const all = doc<TasksState>(topic).value?.tasks ?? [];
	const list = all.filter(which).slice(0, most);
	return (
		<Part title="Tasks" stale={all.length > 0 && freshness(topic).value !== 'live'}>
			<ul class="plain">{list.map((t) => <TaskRow key={t.upid} t={t} cluster={name} />)}</ul>
			{list.length === 0 && <Empty>None among the last {all.length} of the cluster.</Empty>}
		</Part>
	);
}

export function ActivityView() {
	const topic = `pve/${cluster.value}/tasks`;
	const d = doc<TasksState>(topic).value;
	const live = freshness(topic).value === 'live';
	const running = d?.tasks.filter((t) => t.status === 'running').length ?? 0;
	return (
		<>
			<Act draw={(a) => <a.HistoryPanel />} />
			<Panel
				title="Tasks"
				class="tasks"
				on="activity"
				scrolls
				stale={!!d && !live}
				meta={d && !live ? <TopicStale topic={topic} /> : running ? `${running} running` : null}
			>
				<ul class="plain">{d?.tasks.map((t) => <TaskRow key={t.upid} t={t} cluster={cluster.value} />)}</ul>
				{!d?.tasks.length && <Empty>No tasks.</Empty>}
			</Panel>
			<Panel title="Since this page was opened" class="events" on="activity" scrolls>
				<ul class="plain">
					{entries.value.map((e) => (
						<li key={e.id} class={`entry tone-${e.tone}`}>
							<time>{clockTime(e.at)}</time>
							<Icon name={e.icon} />
							<span>{e.text}</span>
						</li>
					))}
				</ul>
				{entries.value.length === 0 && <Empty>Nothing has happened.</Empty>}
			</Panel>
		</>
	);
}
