// Starts a stack, prints its process ids, and waits to be killed.
import { startStack } from '../stack.mjs';
import { fakeStack } from './helpers.mjs';

const stack = await startStack(fakeStack());
console.log(JSON.stringify(stack.names.map((name) => stack.process(name).pid)));
setInterval(() => {}, 1000);
