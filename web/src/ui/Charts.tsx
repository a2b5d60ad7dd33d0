/* SPDX-License-Identifier: MIT */
/* A value with its line of the last minutes, for the details. */
import { percent } from '../lib/format.ts';
import { word } from '../store/docs.ts';
import { history, sampled } from '../store/history.ts';
import { Bar, Sparkline } from './parts.tsx';

interface ChartProps {
	topic: string;
	kind: 'cpu' | 'mem';
	label: string;
	value: number | null;
	detail: string;
}

export function Chart({ topic, kind, label, value, detail }: ChartProps) {
	const version = sampled(word(topic, 'cluster')).value;
	return (
		<div class="chart">
			<div class="chart-head">
				<span class="chart-name">{label}</span>
				<span class="chart-detail">{detail}</span>
				<span class="chart-value">{percent(value, value !== null && value < 10 ? 1 : 0)}</span>
			</div>
			<Sparkline samples={history(topic)[kind]} version={version} label={`${label} in the last minutes`} />
			<Bar value={value} label={label} />
		</div>
	);
}
