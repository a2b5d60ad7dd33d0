/* SPDX-License-Identifier: MIT */
/* All that is fetched when the details of a node are opened: what is read and done on the node itself. */
/* Already there: named, so that what both share with the first load stays in one file. */
import '../act/index.ts';

export { NodeFileSystems } from './FileSystems.tsx';
export { startReads as start } from './reads.ts';
export { NodeServices } from './Services.tsx';
