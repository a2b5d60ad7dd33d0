/* SPDX-License-Identifier: MIT */
/* Says what is broken between the page and the cluster, and what is done about it. */
import { duration } from '../lib/format.ts';
import { autonomy, dialog, frozen, mayAct } from '../store/acting.ts';
import { now, tick } from '../store/clock.ts';
import { brokenSince, brokerUp, socketOpen } from '../store/fresh.ts';
import { linkState, loaded, retryAt, retryNow } from '../store/link.ts';
import { loginState } from '../store/session.ts';
import { Icon } from './Icon.tsx';

function since(): string {
	void tick.value;
	const at = brokenSince.value;
	return at === null ? '' : duration(now() - at);
}

function nextTry(): string {
	void tick.value;
	const at = retryAt.value;
	return at === null ? 'connecting…' : `next attempt in ${duration(Math.max(0, at - Date.now()))}`;
}

function Broken() {
	if (linkState.value === 'lost')
		return (
			<div class="banner crit" role="alert">
				<Icon name="offline" />
				<span class="banner-text">
					<b>No connection to Jarvis</b>
					<span class="banner-more">
						{` for ${since()}. ${loaded.value ? 'What you see is old; ' : ''}${nextTry()}.`}
					</span>
				</span>
				<button type="button" class="button" onClick={retryNow}>Try now</button>
			</div>
		);
	if (socketOpen.value && loaded.value && !brokerUp.value)
		return (
			<div class="banner crit" role="alert">
				<Icon name="offline" />
				<span class="banner-text">
					<b>Jarvis has lost its message broker</b>
					<span class="banner-more">{` for ${since()}. What you see is old; it reconnects by itself.`}</span>
				</span>
			</div>
		);
	return null;
}

/** Nobody may overlook it, in no look: words, a shape, and a frame round the page. */
function Frozen() {
	const by = autonomy.value?.by;
	if (!frozen.value) return null;
	return (
		<div class="banner frozen" role="alert">
			<Icon name="freeze" />
			<span class="banner-text">
				<b>Frozen</b>
				<span class="banner-more">{`${by ? ` by ${by}` : ''}. Nothing but reads is done, whoever asks, until a person unfreezes it.`}</span>
			</span>
			{mayAct.value && <button type="button" class="button" onClick={() => (dialog.value = { kind: 'unfreeze' })}>Unfreeze…</button>}
		</div>
	);
}

/** Persons go on and would not notice; whoever waits for what agents do, does. */
function AgentsWait() {
	const why = autonomy.value?.unfit_agents;
	if (!why || autonomy.value?.unfit || frozen.value) return null;
	return (
		<div class="banner warn" role="status">
			<Icon name="error" />
			<span class="banner-text">
				<b>Agents do nothing but read</b>
				<span class="banner-more">{`: ${why}. The log of the safety gate says where; afterwards it is reloaded.`}</span>
			</span>
		</div>
	);
}

export function Banner() {
	return loginState.value === 'out' ? null : <><Broken /><Frozen /><AgentsWait /></>;
}
