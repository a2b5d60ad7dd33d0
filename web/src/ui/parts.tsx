/* SPDX-License-Identifier: MIT */
/* The small parts that every panel is made of. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { duration, percent } from '../lib/format.ts';
import { areaPath, scaleOf, sparkPath, type Samples } from '../lib/ring.ts';
import { verdictReason, type Verdict } from '../lib/freshness.ts';
import { now, tick } from '../store/clock.ts';
import { ageMs, brokenSince, freshness } from '../store/fresh.ts';
import { Icon, type IconName } from './Icon.tsx';

interface PanelProps {
	title: string;
	meta?: ComponentChildren;
	class?: string;
	/** Which tab of the phone's bar shows it. */
	tab?: string;
	stale?: boolean;
	/** It may overflow: then the keyboard must reach it. */
	scrolls?: boolean;
	children: ComponentChildren;
}

export function Panel({ title, meta, class: cls = '', tab, stale, scrolls, children }: PanelProps) {
	const id = useId();
	return (
		<section class={`panel ${cls} ${stale ? 'is-stale' : ''}`} data-tab={tab} aria-labelledby={id}>
			<header class="panel-head">
				<h2 id={id}>{title}</h2>
				<span class="panel-rule" />
				<span class="panel-meta">{meta}</span>
			</header>
			<div class="panel-body" tabIndex={scrolls ? 0 : undefined}>{children}</div>
		</section>
	);
}

const CLOSE = 80;
const FULL = 92;

export function level(value: number | null): '' | 'high' | 'full' {
	if (value === null || value < CLOSE) return '';
	return value < FULL ? 'high' : 'full';
}

/** A meter. Unknown is an empty, dashed track. */
export function Bar({
	value, label, text, class: cls = '',
}: { value: number | null; label: string; text?: string; class?: string }) {
	const shown = value === null ? 0 : Math.min(Math.max(value, 0), 100);
	return (
		<span
			class={`bar ${level(value)} ${value === null ? 'unknown' : ''} ${cls}`}
			role="meter"
			aria-label={label}
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={value === null ? 0 : Math.round(shown)}
			aria-valuetext={text ?? (value === null ? 'unknown' : percent(value))}
		>
			<span class="bar-fill" style={{ transform: `scaleX(${(shown / 100).toFixed(3)})` }} />
		</span>
	);
}

/** "stale 42s", every second, as long as a verdict is not live. */
export function StaleTag({ verdict, age }: { verdict: Verdict; age: number | null }) {
	if (verdict === 'live') return null;
	const broken = brokenSince.value;
	const ms = age ?? (broken === null ? null : (tick.value, now() - broken));
	return (
		<span class="stale-tag" title={verdictReason(verdict)}>
			<Icon name="stale" />
			stale{ms === null ? '' : ` ${duration(ms)}`}
		</span>
	);
}

/** The same for the document of a topic. */
export function TopicStale({ topic }: { topic: string }) {
	const verdict = freshness(topic).value;
	return verdict === 'live' ? null : <StaleTag verdict={verdict} age={ageMs(topic).value} />;
}

export function Status({
	icon, tone, children, title,
}: { icon: IconName; tone: string; children: ComponentChildren; title?: string | undefined }) {
	return (
		<span class={`status tone-${tone}`} title={title}>
			<Icon name={icon} />
			<span>{children}</span>
		</span>
	);
}

const W = 240;
const H = 40;

/** Drawn again only when it was sampled; `version` is what says so. Percent, on the scale that it names. */
export function Sparkline({ samples, label }: { samples: Samples; version: number; label: string }) {
	const max = scaleOf(samples);
	return (
		<div class="spark">
			<svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="img" aria-label={`${label}, 0 to ${max}%`}>
				<path class="spark-grid" d={`M0 ${H / 2}H${W}M0 .5H${W}`} />
				<path class="spark-area" d={areaPath(samples, W, H, max)} />
				<path class="spark-line" d={sparkPath(samples, W, H, max)} />
			</svg>
			<span class="spark-scale" aria-hidden="true">{max}%</span>
		</div>
	);
}

export function Empty({ children }: { children: ComponentChildren }) {
	return <p class="empty">{children}</p>;
}

/** A fact with its name: definition lists of the detail panels. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
	return (
		<div class="fact">
			<dt>{name}</dt>
			<dd>{children}</dd>
		</div>
	);
}
