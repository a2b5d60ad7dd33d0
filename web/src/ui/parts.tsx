/* SPDX-License-Identifier: MIT */
/* The small parts that every panel is made of. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { bytes, DASH, dayTime, duration, percent, share } from '../lib/format.ts';
import type { Heat } from '../lib/heat.ts';
import { areaPath, scaleOf, sparkPath, type Samples } from '../lib/ring.ts';
import { verdictReason, type Verdict } from '../lib/freshness.ts';
import { now, slowWall, tick } from '../store/clock.ts';
import { open } from '../store/view.ts';
import { ageMs, brokenSince, freshness } from '../store/fresh.ts';
import { Icon, type IconName } from './Icon.tsx';

interface PanelProps {
	title: string;
	meta?: ComponentChildren;
	class?: string;
	/** The views, by name, that show it on a phone. */
	on?: string;
	stale?: boolean;
	/** What it is called beside another one of the same title. */
	label?: string;
	/** It may overflow: then the keyboard must reach it. */
	scrolls?: boolean;
	children: ComponentChildren;
}

export function Panel({ title, meta, class: cls = '', on, stale, label, scrolls, children }: PanelProps) {
	const id = useId();
	return (
		<section class={`panel ${cls} ${stale ? 'is-stale' : ''}`} data-on={on} aria-label={label} aria-labelledby={label ? undefined : id}>
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
export function Sparkline({
	samples, label, bare,
}: { samples: Samples; version: number; label: string; bare?: boolean }) {
	const max = scaleOf(samples);
	return (
		<div class="spark">
			<svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="img" aria-label={`${label}, 0 to ${max}%`}>
				{!bare && <path class="spark-grid" d={`M0 ${H / 2}H${W}M0 .5H${W}`} />}
				<path class="spark-area" d={areaPath(samples, W, H, max)} />
				<path class="spark-line" d={sparkPath(samples, W, H, max)} />
			</svg>
			{!bare && <span class="spark-scale" aria-hidden="true">{max}%</span>}
		</div>
	);
}

export function Empty({ children }: { children: ComponentChildren }) {
	return <p class="empty">{children}</p>;
}

/** A fact with its name: definition lists of the detail panels. */
export function Fact({ name, long, children }: { name: string; long?: boolean; children: ComponentChildren }) {
	return (
		<div class={`fact ${long ? 'long' : ''}`}>
			<dt>{name}</dt>
			<dd>{children}</dd>
		</div>
	);
}

/** A part of a panel, with a name of its own. */
export function Part({
	title, meta, stale, class: cls = '', children,
}: { title: string; meta?: ComponentChildren; stale?: boolean; class?: string; children: ComponentChildren }) {
	const id = useId();
	return (
		<section class={`part ${cls} ${stale ? 'is-stale' : ''}`} aria-labelledby={id}>
			<header class="part-head">
				<h3 id={id}>{title}</h3>
				<span class="part-meta">{meta}</span>
			</header>
			{children}
		</section>
	);
}

/** The name of an object that opens it. */
export function Link({ to, children, class: cls = '' }: { to: string; children: ComponentChildren; class?: string }) {
	return <button type="button" class={`as-link ${cls}`} onClick={() => open(to)}>{children}</button>;
}

/** A dash that says why. */
export function Unknown({ why }: { why?: string | null | undefined }) {
	return <span class="unknown" title={why || 'not known'}>{DASH}</span>;
}

/** From three of a unit on, the smaller one is of no interest. */
function roughly(ms: number): string {
	const text = duration(ms);
	return parseInt(text, 10) < 3 ? text : text.split(' ')[0]!;
}

/** How long ago, or in how long; the very time is its title. */
export function When({ ms, why, future }: { ms: number | null | undefined; why?: string | null; future?: boolean }) {
	if (ms === null || ms === undefined) return <Unknown why={why} />;
	const gap = slowWall.value - ms;
	const text = future ? (gap > 0 ? 'due' : `in ${roughly(-gap)}`) : `${roughly(gap)} ago`;
	return <time class="when" dateTime={new Date(ms).toISOString()} title={dayTime(ms)}>{text}</time>;
}

/** Used of total as bar and words. */
export function Usage({ used, total, label }: { used: number | null; total: number | null; label: string }) {
	return (
		<div class="usage">
			<Bar value={share(used, total)} label={label} />
			<span class="figure">{bytes(used)} of {bytes(total)}</span>
		</div>
	);
}

const HEAT_WORD: Record<Heat, string> = { '': '', warm: 'warm', hot: 'hot', critical: 'critical' };

/** A temperature: coloured by the chip's limits, and with a word where it is too much. */
export function Degrees({ value, heat, title }: { value: number | null; heat: Heat; title?: string | undefined }) {
	if (value === null) return <Unknown why={title} />;
	return (
		<span class={`degrees heat-${heat || 'fine'}`} title={title}>
			{Math.round(value)}°{(heat === 'hot' || heat === 'critical') && <small> {HEAT_WORD[heat]}</small>}
		</span>
	);
}
