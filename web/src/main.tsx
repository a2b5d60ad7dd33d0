/* SPDX-License-Identifier: MIT */
/* Starts the stores, then draws. */
import './style/main.css';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { frozen, startActing, waiting } from './store/acting.ts';
import { startActivity } from './store/activity.ts';
import { startClock } from './store/clock.ts';
import { startHistory } from './store/history.ts';
import { startMode } from './store/mode.ts';
import { loaded, startLink } from './store/link.ts';
import { startToasts } from './store/toasts.ts';
import { troubles } from './store/trouble.ts';
import { startView } from './store/view.ts';
import { loadActing } from './ui/Acting.tsx';
import { App } from './ui/App.tsx';
import { startKeys } from './ui/keys.ts';

startMode();
startView();
startClock();
startHistory();
startActivity();
startToasts();
startActing();
startKeys();
startLink();
effect(() => {
	const n = loaded.value ? troubles.value.length + waiting.value.length : 0;
	document.title = `${frozen.value ? 'Frozen: ' : ''}${n > 0 ? `(${n}) ` : ''}Jarvis`;
});
render(<App />, document.getElementById('app')!);
void loadActing();
