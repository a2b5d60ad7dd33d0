/**
 * The cluster's CA and each node's certificate, made by the openssl command line tool: Node can
 * make keys but not certificates. EC keys, because RSA for a hundred nodes would take minutes.
 */
import { X509Certificate } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes DIR/pve-root-ca.pem; what an earlier run left there stays. @returns {Promise<{certFile: string, keyFile: string}>} */
export async function makeCa(dir, cluster) {
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	const certFile = join(dir, 'pve-root-ca.pem');
	const keyFile = join(dir, 'pve-root-ca.key');
	if (existsSync(certFile) && existsSync(keyFile)) return { certFile, keyFile };
	writeFileSync(join(dir, 'openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
	await openssl(dir, [
		'-keyout', keyFile, '-out', certFile, '-days', '3650',
		'-addext', 'basicConstraints=critical,CA:TRUE',
		'-subj', `/CN=Proxmox Virtual Environment/OU=${cluster}/O=PVE Cluster Manager CA`,
		'-addext', 'keyUsage=critical,keyCertSign,cRLSign',
	]);
	return { certFile, keyFile };
}

/**
 * Makes a key and certificate for a node, signed by the CA; those that an earlier run made under the same serial
 * stay, for a cluster keeps its certificates when it is restarted.
 * @param {{certFile: string, keyFile: string}} ca
 * @param {{dir: string, node: string, ip: string, serial: number, days?: number}} what
 */
export async function makeNodeCert(ca, { dir, node, ip, serial, days = 730 }) {
	const certFile = join(dir, `${node}-${serial}.pem`);
	const keyFile = join(dir, `${node}-${serial}.key`);
	if (existsSync(certFile) && existsSync(keyFile)) return readPair(certFile, keyFile);
	await openssl(dir, [
		'-CA', ca.certFile, '-CAkey', ca.keyFile,
		'-keyout', keyFile, '-out', certFile, '-days', String(days),
		'-subj', `/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN=${node}.local`,
		'-addext', 'basicConstraints=critical,CA:FALSE',
		'-addext', 'extendedKeyUsage=serverAuth',
		'-addext', `subjectAltName=IP:127.0.0.1,IP:${ip},DNS:localhost,DNS:${node},` +
			`DNS:${node}.local`,
	]);
	return readPair(certFile, keyFile);
}

/** Reads a CA certificate in the same shape as a node's. */
export function readPair(certFile, keyFile) {
	const cert = readFileSync(certFile);
	const x509 = new X509Certificate(cert);
	return { cert, key: readFileSync(keyFile), fingerprint: x509.fingerprint256, x509 };
}

/** Own configuration: the distribution's adds extensions that collide with ours. */
async function openssl(dir, args) {
	const config = ['-config', join(dir, 'openssl.cnf')];
	try {
		await run('openssl', ['req', '-x509', ...config, ...NEW_KEY, ...args]);
	} catch (err) {
		throw new Error(`openssl req failed: ${err.stderr || err.message}`);
	}
}
