/* SPDX-License-Identifier: MIT */
/* Says what is broken between the page and the cluster, and what is done about it. */
import { duration } from '../lib/format.ts';
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

export function Banner() {
	if (loginState.value === 'out') return null;
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
