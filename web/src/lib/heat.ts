/* SPDX-License-Identifier: MIT */
/* How hot is hot: by the chip's own limits where it names them, by custom where it does not. */
import type { NodeThermal, Temperature } from '../generated/topics.ts';

export type Heat = '' | 'warm' | 'hot' | 'critical';

const USUAL_MAX = 85;
const USUAL_CRITICAL = 100;
/** Warm begins this far below the limit. */
const NEAR = 10;

export interface Limits {
	max: number;
	critical: number;
	/** The chip names them itself. */
	own: boolean;
}

/** A limit that makes no sense (0, or beyond its own critical one) is none. */
export function limitsOf(t: Pick<Temperature, 'max' | 'critical'> | null): Limits {
	const critical = t?.critical && t.critical > 0 ? t.critical : null;
	const max = t?.max && t.max > 0 && (critical === null || t.max <= critical) ? t.max : null;
	if (max === null && critical === null) return { max: USUAL_MAX, critical: USUAL_CRITICAL, own: false };
	return { max: max ?? critical! - NEAR, critical: critical ?? max! + NEAR, own: true };
}

export function heat(celsius: number | null, limits: Limits): Heat {
	if (celsius === null) return '';
	if (celsius >= limits.critical) return 'critical';
	if (celsius >= limits.max) return 'hot';
	return celsius >= limits.max - NEAR ? 'warm' : '';
}

const PROCESSOR = /coretemp|k10temp|zenpower|cpu|package|tctl|tdie|core \d|x86_pkg/i;

/** The sensor whose reading is the processor's hottest: the one whose limits count for it. */
export function hottestCpu(t: NodeThermal): Temperature | null {
	if (t.cpu === null) return null;
	const close = t.temperatures.filter((s) => s.celsius !== null && Math.abs(s.celsius - t.cpu!) < 0.6);
	return close.find((s) => PROCESSOR.test(s.sensor)) ?? close[0] ?? null;
}

export interface CpuHeat {
	celsius: number | null;
	limits: Limits;
	heat: Heat;
	sensor: string;
}

export function cpuHeat(t: NodeThermal): CpuHeat {
	const sensor = hottestCpu(t);
	const limits = limitsOf(sensor);
	return { celsius: t.cpu, limits, heat: heat(t.cpu, limits), sensor: sensor?.sensor ?? 'processor' };
}

/** Disks say no limits here; these are what their makers name. */
export function diskLimits(type: string | null): Limits {
	return type === 'hdd' ? { max: 50, critical: 60, own: false } : { max: 70, critical: 80, own: false };
}
