/* SPDX-License-Identifier: MIT */
/* All that is fetched when the page is there: whatever asks for, decides or shows actions. */
export { ActionsView, HistoryPanel, WaitingPanel } from './Actions.tsx';
export { AuditView } from './Audit.tsx';
export { start } from './calls.ts';
export { Enrolled } from './Levels.tsx';
export { Over } from './Over.tsx';
export { BatchBar, openMenu, picking, PowerBar, RowTools, SnapshotTools, StorageTools, TaskTools } from './Power.tsx';
