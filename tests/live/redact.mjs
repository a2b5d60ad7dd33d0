// Takes out of Proxmox's answers all that tells who their owner is. Text goes unless it is known to be Proxmox's own:
// what nobody thought of is replaced too. The same text becomes the same word everywhere; the list of them is never kept.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { FIELD_NAME, NOT_TELLING, OWN_KEY, SAFE_FORMS, SAFE_WORDS, TELLING_KEY } from './redact_words.mjs';

const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FINGERPRINT = /^(?:[0-9a-f]{2}:){15,}[0-9a-f]{2}$/i;
const HEX = /^[0-9a-f]{16,}$/i;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const UPID = /^UPID:([^:]+):([0-9A-F]+):([0-9A-F]+):([0-9A-F]+):([^:]+):([^:]*):([^:]+):(.*)$/i;
const PRIVILEGE = /^[A-Z][A-Za-z]+(?:\.[A-Za-z]+)+$/;
/** Parts of Proxmox's own paths. */
const LEVELS = new Set(['vms', 'nodes', 'storage', 'access', 'pool', 'sdn', 'mapping', 'zones', 'realm', 'groups', 'dns', 'hosts',
	'domains', 'users', 'qemu', 'lxc', 'node', 'cluster', 'network', 'zone', 'localnetwork', 'notifications', 'pci', 'usb', 'dir', 'fabrics',
	'status', 'current', 'config', 'resources', 'tasks', 'permissions', 'version', 'content', 'disks', 'list', 'smart', 'zfs', 'snapshot',
	'replication', 'apt', 'update', 'certificates', 'info', 'backup', 'ha', 'ceph', 'backup-info', 'not-backed-up', 'manager_status', 'api2', 'json',
	'metadata', 'osd', 'mon', 'services', 'time', 'dns', 'rrddata', 'included_volumes', 'resources', 'groups', 'jobs', 'log', 'capabilities']);
/** Shorter names are too likely to be part of something else to be looked for inside of it. */
const FIND_LENGTH = 3;

const randomHex = (length) => randomBytes(Math.ceil(length / 2)).toString('hex').slice(0, length);
const randomDigits = (length) => [...randomBytes(length)].map((byte, i) => (i === 0 ? 1 + (byte % 9) : byte % 10)).join('');

export class Redactor {
	#words = new Map(); // what it was → what it is now
	#made = new Set(); // what came of it
	#counts = new Map();
	#fields;

	/** `fields`: keys that are known to be Proxmox's, also when something of the owner's is called so. */
	constructor(fields = []) {
		this.#fields = new Set(fields);
	}

	#isField(key) {
		return FIELD_NAME.test(key) || this.#fields.has(key) || PRIVILEGE.test(key);
	}

	/** `kind` is the stem of the replacement: node, guest, storage … */
	name(text, kind = 'text') {
		const known = this.#words.get(text);
		if (known !== undefined) return known;
		const n = (this.#counts.get(kind) ?? 0) + 1;
		this.#counts.set(kind, n);
		return this.#keep(text, `${kind}-${n}`);
	}

	#keep(text, replacement) {
		this.#words.set(text, replacement);
		this.#made.add(replacement);
		return replacement;
	}

	/** Words that are the owner's. */
	learn(texts, kind) {
		for (const text of texts) if (typeof text === 'string' && text !== '') this.name(text, kind);
	}

	/** The same for what has a form of its own: addresses, accounts, fingerprints. */
	learnForms(texts) {
		for (const text of texts) if (typeof text === 'string' && text !== '') this.text(text, 'name');
	}

	/** Names that stand in these answers; first, so that each is known wherever else it stands. */
	learnFrom(value) {
		if (Array.isArray(value)) return value.forEach((item) => this.learnFrom(item));
		if (value === null || typeof value !== 'object') return;
		const kinds = { node: 'node', storage: 'storage', pool: 'pool', poolid: 'pool', tokenid: 'token' };
		for (const [key, kind] of Object.entries(kinds)) this.learn([value[key]], kind);
		this.learnForms([value.user, value.userid]);
		if (['qemu', 'lxc'].includes(value.type) || 'vmid' in value) this.learn([value.name, value.hostname], 'guest');
		if (value.type === 'node') this.learn([value.name], 'node');
		if (value.type === 'cluster') this.learn([value.name], 'cluster');
		Object.values(value).forEach((item) => this.learnFrom(item));
	}

	/** A whole answer, or any part of it. */
	value(value, key = '') {
		if (Array.isArray(value)) return value.map((item) => this.value(item, key));
		if (value !== null && typeof value === 'object') {
			return Object.fromEntries(Object.entries(value).map(([k, v]) => [this.key(k), this.value(v, k)]));
		}
		if (typeof value === 'number') return TELLING_KEY.test(key) && Math.abs(value) > 1 ? this.#digits(String(value), Number) : value;
		return typeof value === 'string' ? this.text(value, key) : value;
	}

	/** A key that is data: the path of a permission, or a map by names. */
	key(key) {
		if (key.startsWith('/')) return this.path(key);
		if (this.#isField(key)) return key;
		const known = this.#words.get(key);
		if (known !== undefined) return known;
		return /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(key) ? key : this.text(key, 'name');
	}

	/** "/vms/100", "/nodes/pve/status": Proxmox's own levels and numbers stay. */
	path(text) {
		const [path, query] = text.split('?', 2);
		const level = (part) => (part === '' || LEVELS.has(part) || /^\d+$/.test(part) ? part : this.name(decode(part), 'name'));
		const clean = path.split('/').map(level).join('/');
		return query === undefined ? clean : `${clean}?${query.replace(/=([^&]*)/g, (_, v) => `=${encodeURIComponent(this.text(decode(v), ''))}`)}`;
	}

	/** Text of the member `key`. */
	text(text, key) {
		if (text === '') return text;
		const own = OWN_KEY.test(key);
		if (!own && SAFE_WORDS.has(text)) return text;
		if (!own && this.#isSafeForm(text, key)) return text;
		// The id of a task is the number of a guest, or a name.
		if (NUMBER.test(text) && (!own || key === 'id')) return TELLING_KEY.test(key) ? this.#digits(text, String) : text;
		return this.#words.get(text) ?? this.#replace(text, key);
	}

	/** Lists of safe words, and forms that a key is known to have, as long as no name of the owner's is in them. */
	#isSafeForm(text, key) {
		const parts = text.split(/[,; ]+/);
		if (parts.length > 1 && parts.every((part) => SAFE_WORDS.has(part))) return true;
		return !TELLING_KEY.test(key) && Boolean(SAFE_FORMS[key]?.test(text)) && this.leaks(text).length === 0;
	}

	#digits(text, make) {
		const known = this.#words.get(text);
		return make(known ?? this.#keep(text, text.replace(/\d+/g, (digits) => randomDigits(Math.min(digits.length, 15)))));
	}

	#number(kind) {
		const n = (this.#counts.get(kind) ?? 0) + 1;
		this.#counts.set(kind, n);
		return n;
	}

	/** Keeps the form, so that a reader of such a text is tried by what comes out. */
	#replace(text, key) {
		const upid = UPID.exec(text);
		if (upid) return this.#upid(upid);
		if (net.isIP(text)) return this.#keep(text, this.#address(text));
		if (/^[^/\s]+\/\d{1,3}$/.test(text) && net.isIP(text.split('/')[0])) return `${this.text(text.split('/')[0], 'ip')}/${text.split('/')[1]}`;
		if (MAC.test(text)) return this.#keep(text, `02:00:00:${randomHex(6).match(/../g).join(':')}`);
		if (UUID.test(text)) return this.#keep(text, [8, 4, 4, 4, 12].map(randomHex).join('-'));
		if (FINGERPRINT.test(text)) return this.#keep(text, text.replace(/[0-9a-f]{2}/gi, () => randomHex(2).toUpperCase()));
		if (HEX.test(text)) return this.#keep(text, randomHex(text.length));
		return this.#composed(text, key) ?? this.name(text, SHORT_KIND[key] ?? 'text');
	}

	#address(text) {
		const n = this.#number('address');
		return net.isIPv4(text) ? `198.18.${n >> 8 & 255}.${n & 255}` : `2001:db8::${n.toString(16)}`;
	}

	/** Texts that are built of parts: "node/pve", "jarvis@pve!poller", "nas:backup/…", "net0=…,bridge=…". */
	#composed(text, key) {
		if (key === 'id' && /^[\w.-]*(?:\/[\w.-]+)+$/.test(text)) return this.path(text);
		if (key === 'sid' && /^(vm|ct):\d+$/.test(text)) return text;
		const account = /^([^@\s!]+)@([^@\s!]+)(?:!(\S+))?$/.exec(text);
		if (account) return this.#keep(text, `${this.name(account[1], 'user')}@${REALMS.has(account[2]) ? account[2] : this.name(account[2], 'realm')}${account[3] ? `!${this.name(account[3], 'token')}` : ''}`);
		if (/^\/dev\/(sd[a-z]+|nvme\d+n\d+)$/.test(text)) return text;
		if (key === 'tags') return text.split(';').map((tag) => this.name(tag, 'tag')).join(';');
		const volume = /^([\w.-]+):(.+)$/.exec(text);
		if (volume && this.#words.has(volume[1])) return `${this.#words.get(volume[1])}:${this.#volume(volume[2])}`;
		return null;
	}

	/** "backup/vzdump-qemu-100-2026_11_20-02_30_00.vma.zst": what Proxmox makes of a number and a time. */
	#volume(text) {
		const made = /^(?:(?:backup|\d+)\/)?(?:vzdump-(?:qemu|lxc)-\d+-[\d_-]+\.[a-z.]+|(?:vm|base|subvol)-\d+-disk-\d+(?:\.\w+)?)$/;
		const snapshot = /^backup\/(?:vm|ct)\/\d+\/[\dTZ:-]+$/;
		return made.test(text) || snapshot.test(text) ? text : this.name(text, 'volume');
	}

	#upid([, node, pid, pstart, start, type, id, user, rest]) {
		const what = id === '' || /^\d+$/.test(id) ? id : this.name(id, 'name');
		const kind = SAFE_WORDS.has(type) ? type : this.name(type, 'task');
		return `UPID:${this.name(node, 'node')}:${pid}:${pstart}:${start}:${kind}:${what}:${this.text(user, 'user')}:${rest === '' ? '' : 'x'}`;
	}

	/** Which of the words that were replaced still stand in `text`: names of the owner that came through. */
	leaks(text) {
		if (this.#made.has(text)) return [];
		const lower = text.toLowerCase();
		const telling = ([word, now]) => word.length >= FIND_LENGTH && word !== now && !isCommon(word);
		return [...this.#words].filter((entry) => holds(lower, entry[0].toLowerCase()) && telling(entry)).map(([word]) => word);
	}

	/**
	 * A second look, when all names are known: a text or a key that was let through, and holds one, goes as a whole.
	 * What the first look made is left alone.
	 */
	sweep(value) {
		if (Array.isArray(value)) return value.map((item) => this.sweep(item));
		if (value !== null && typeof value === 'object') {
			return Object.fromEntries(Object.entries(value).map(([k, v]) => [this.#isField(k) ? k : this.#sweepText(k, 'key'), this.sweep(v)]));
		}
		return typeof value === 'string' ? this.#sweepText(value, 'text') : value;
	}

	/** True when a name still stands anywhere in `value`. */
	finds(value) {
		if (Array.isArray(value)) return value.some((item) => this.finds(item));
		if (value !== null && typeof value === 'object') return this.finds(Object.keys(value).filter((key) => !this.#isField(key))) || this.finds(Object.values(value));
		return typeof value === 'string' && !FIELD_NAME.test(value) && !SAFE_WORDS.has(value) && this.leaks(value).length > 0;
	}

	#sweepText(text, kind) {
		if (FIELD_NAME.test(text) || SAFE_WORDS.has(text) || this.leaks(text).length === 0) return text;
		return this.name(text, kind);
	}
}

/** All keys of objects in `value`. */
export function keysOf(value) {
	if (value === null || typeof value !== 'object') return [];
	const own = Array.isArray(value) ? [] : Object.keys(value);
	return [...own, ...Object.values(value).flatMap(keysOf)];
}

const isCommon = (word) => SAFE_WORDS.has(word) || NOT_TELLING.has(word) || FIELD_NAME.test(word) || LEVELS.has(word) || NUMBER.test(word);

const SHORT_KIND = { node: 'node', storage: 'storage', pool: 'pool', user: 'user', hostname: 'guest', devpath: 'device', model: 'model' };
const REALMS = new Set(['pam', 'pve']);

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** `word` stands in `text` with nothing of a longer word round it. */
function holds(text, word) {
	for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
		const around = (text[at - 1] ?? ' ') + (text[at + word.length] ?? ' ');
		if (!/[A-Za-z0-9]/.test(around)) return true;
	}
	return false;
}
