/**
 * Parameter checks with the messages of PVE::JSONSchema. A row of the schema table reads
 * `{t: s|i|n|b|a, o: optional, min, max, e: enumeration, len: longest, re: pattern, f: format,
 * req: needs that other parameter, of: kind of an array's items}`.
 */
import { badParams } from './errors.mjs';

const TYPE_NAMES = { i: 'integer', n: 'number', b: 'boolean', s: 'string' };
const NODE_NAME = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/;

const TYPE_CHECKS = {
	i: (text) => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined),
	n: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined),
	b: (text) => (/^[01]$/.test(text) ? Number(text) : undefined),
	s: (text) => text,
};

const FORMATS = {
	'pve-node': (v) => NODE_NAME.test(v) || 'value does not look like a valid node name',
	'pve-vmid': (v) => /^[1-9][0-9]{2,8}$/.test(v) || 'value does not look like a valid VM ID',
	'pve-configid': (v) => /^[a-z][a-z0-9_-]+$/i.test(v) || `invalid configuration ID '${v}'`,
	'pve-storage-id': (v) =>
		/^[a-z][a-z0-9\-_.]*[a-z0-9]$/i.test(v) || `storage ID '${v}' contains illegal characters`,
	'pve-userid': (v) => /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/.test(v) ||
		`value '${v}' does not look like a valid user name`,
};

/**
 * @param {Record<string, object>} table
 * @param {Record<string, unknown>} given
 * @param {boolean} [open] unknown parameters are allowed
 * @returns {Record<string, any>} the values, numbers as numbers, booleans as 0 or 1
 */
export function validate(table, given, open = false) {
	const errors = {};
	const out = {};
	for (const [name, raw] of Object.entries(given)) {
		const rule = table[name] ?? indexedRule(table, name);
		if (rule) {
			out[name] = checkValue(rule, raw, (text) => {
				errors[name] = text;
			});
		} else if (!open) {
			errors[name] = 'property is not defined in schema and the schema does not allow ' +
				'additional properties';
		}
	}
	checkMissing(table, given, errors);
	if (Object.keys(errors).length > 0) {
		throw badParams(errors);
	}
	return out;
}

/** `net3` is described once, as `net[n]`. */
function indexedRule(table, name) {
	const match = /^([a-z-]+)\d+$/.exec(name);
	return match ? table[`${match[1]}[n]`] : undefined;
}

function checkMissing(table, given, errors) {
	for (const [name, rule] of Object.entries(table)) {
		const present = given[name] !== undefined;
		if (!present && !rule.o && !name.endsWith('[n]')) {
			errors[name] = 'property is missing and it is not optional';
		}
		if (present && rule.req && given[rule.req] === undefined) {
			errors[rule.req] = `missing property - '${name}' requires this property`;
		}
	}
}

function checkValue(rule, raw, fail) {
	if (rule.t === 'a') {
		const list = Array.isArray(raw) ? raw : [raw];
		return list.map((item) => checkScalar({ ...rule, t: rule.of ?? 's' }, item, fail));
	}
	return checkScalar(rule, raw, fail);
}

function checkScalar(rule, raw, fail) {
	const text = typeof raw === 'boolean' ? String(Number(raw)) : String(raw);
	const value = Array.isArray(raw) ? undefined : TYPE_CHECKS[rule.t](text);
	if (value === undefined) {
		fail(`type check ('${TYPE_NAMES[rule.t]}') failed - got '${text}'`);
		return undefined;
	}
	const problem = rule.t === 's' ? textProblem(rule, text) : numberProblem(rule, value);
	const complaint = problem ?? enumProblem(rule, text);
	if (complaint) {
		fail(complaint);
	}
	return value;
}

function numberProblem(rule, value) {
	if (rule.min !== undefined && value < rule.min) {
		return `value must have a minimum value of ${rule.min}`;
	}
	if (rule.max !== undefined && value > rule.max) {
		return `value must have a maximum value of ${rule.max}`;
	}
	return undefined;
}

function textProblem(rule, text) {
	if (rule.len !== undefined && text.length > rule.len) {
		return `value may only be ${rule.len} characters long`;
	}
	const format = formatProblem(rule.f, text);
	if (format !== undefined) {
		return format;
	}
	if (rule.re !== undefined && !pattern(rule.re).test(text)) {
		return 'value does not match the regex pattern';
	}
	return undefined;
}

function formatProblem(format, text) {
	const list = format?.endsWith('-list') && FORMATS[format.slice(0, -5)];
	const check = list || FORMATS[format];
	for (const part of list ? text.split(/[\s,;]+/).filter(Boolean) : [text]) {
		const verdict = check ? check(part) : true;
		if (verdict !== true) {
			return `invalid format - ${verdict}\n`;
		}
	}
	return undefined;
}

function enumProblem(rule, text) {
	if (rule.e && !rule.e.map(String).includes(text)) {
		return `value '${text}' does not have a value in the enumeration '${rule.e.join(', ')}'`;
	}
	return undefined;
}

const patterns = new Map();

function pattern(source) {
	if (!patterns.has(source)) {
		patterns.set(source, new RegExp(`^(?:${source})$`));
	}
	return patterns.get(source);
}
