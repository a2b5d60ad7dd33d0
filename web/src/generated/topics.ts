// Printed by topicgen from common/*.def; do not edit.

/** State of a node as its cluster sees it. */
export type NodeStatus = 'online' | 'offline' | 'unknown';

/** A virtual machine or a container. */
export type GuestType = 'qemu' | 'lxc';

/** State of a guest; Proxmox reports QEMU's own word for virtual machines. */
export type GuestStatus = 'running' | 'stopped' | 'paused' | 'suspended' | 'prelaunch' | 'io-error' | 'internal-error' | 'postmigrate' | 'other' | 'unknown';

/** Whether a storage can be used. */
export type StorageStatus = 'available' | 'inactive' | 'disabled' | 'unknown';

/** How a Proxmox task stands. */
export type TaskStatus = 'running' | 'ok' | 'warning' | 'failed' | 'unknown';

/** new, update and end of one thing; after Frigate. */
export type EventType = 'new' | 'update' | 'end';

/** How bad an alert is. */
export type Severity = 'info' | 'warning' | 'critical';

/** Home Assistant's alert states; idle is the absence of the document. */
export type AlertStatus = 'on' | 'off';

/** How much an action may do; a property of the action, computed by the safety gate. */
export type Tier = 'green' | 'yellow' | 'orange' | 'red' | 'black';

/** What became of a command. */
export type ReplyStatus = 'ok' | 'error' | 'denied' | 'waiting';

/** What a person may do at the dashboard. */
export type Role = 'viewer' | 'operator';

/** How an action stands. From verified on it is over. */
export type ActionStatus = 'waiting' | 'window' | 'approved' | 'running' | 'verified' | 'still_failing' | 'unknown' | 'failed' | 'denied' | 'cancelled' | 'expired' | 'refused';

/** What a person must give to approve. */
export type ActionNeed = 'nothing' | 'keyword' | 'code';

/** What the gate says to a request. */
export type ActionDecision = 'allow' | 'ask' | 'refuse' | 'state';

/** How one target of an action stands. */
export type StepStatus = 'pending' | 'running' | 'verified' | 'still_failing' | 'unknown' | 'failed' | 'skipped' | 'cancelled';

/** A bare word instead of a document, as Home Assistant's availability wants it. */
export interface Bare {
	/** the word */
	word: string;
}

/** What runs: published on every connect. */
export interface ServiceInfo {
	/** when this was written; ms */
	ts: number;
	/** the service's name */
	service: string;
	/** the instance's name */
	instance: string;
	/** version of Jarvis */
	version: string;
	/** when the process started; ms */
	started_ms: number;
	/** session id: changes with every start; also in the last will */
	sid: string;
	/** SHA-256 of the configuration in force, first 16 digits */
	config_digest: string;
	/** what keeps it from doing its work, and how to mend it; null: nothing that it knows of */
	trouble: string | null;
}

/** How a service feels, every 10 s. */
export interface ServiceHealth {
	/** when this was measured; ms */
	ts: number;
	/** since the process started; s */
	uptime_s: number;
	/** longest time in the period that the loop was late; ms */
	loop_lag_ms: number;
	/** resident memory; B */
	rss_bytes: number;
	/** share of one core since the last report; % */
	cpu: number;
	/** messages that wait to be sent */
	bus_queue: number;
	/** what the service counts since its start; only grows */
	counters: Record<string, number>;
}

/** A warning or an error; repeats are folded. */
export interface ServiceLog {
	/** when it was written; ms */
	ts: number;
	/** warn or error */
	level: string;
	/** the line */
	text: string;
}

/** How one source of data answers. What a document says is live while its source is. */
export interface SourceState {
	/** when it last answered, by the clock of ts; null: never since the start; ms */
	last_ok_ms: number | null;
	/** how often it is asked; s */
	period_s: number;
	/** how long the last answer took; ms */
	latency_ms: number | null;
	/** failed attempts since the last answer */
	failures: number;
	/** why the last attempt failed; null while all is well */
	error: string | null;
}

/** Something that is not as it should be, and how to mend it. */
export interface Finding {
	/** a word for programs, stable while it stands */
	id: string;
	/** how bad */
	severity: Severity;
	/** one line */
	title: string;
	/** what exactly */
	detail: string | null;
	/** what to do, to the command */
	cure: string | null;
}

/** A cluster or standalone node; published after every poll, so that its age is the age of the eyes. */
export interface ClusterState {
	/** when this was written; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** what Proxmox calls the cluster; null for a standalone node */
	name: string | null;
	/** a single node without a cluster */
	standalone: boolean | null;
	/** the cluster has quorum; a standalone node always has */
	quorate: boolean | null;
	/** votes present */
	votes: number | null;
	/** votes of all nodes together */
	votes_expected: number | null;
	/** votes that quorum needs */
	votes_needed: number | null;
	/** nodes in the cluster */
	nodes: number | null;
	/** nodes that are online */
	nodes_online: number | null;
	/** guests, without templates */
	guests: number | null;
	/** guests that run */
	guests_running: number | null;
	/** busy share of all cores of the nodes online; % */
	cpu: number | null;
	/** cores of the nodes online */
	maxcpu: number | null;
	/** memory used on the nodes online; B */
	mem: number | null;
	/** memory of the nodes online; B */
	maxmem: number | null;
	/** storage used; shared storages counted once; B */
	disk: number | null;
	/** storage in all; shared storages counted once; B */
	maxdisk: number | null;
	/** node that answers our questions at present */
	endpoint: string | null;
	/** Proxmox VE version of that node */
	version: string | null;
	/** why the cluster cannot be read; null while all is well */
	error: string | null;
	/** what its owner should mend in how it is read, such as the token's rights */
	findings: Finding[];
	/** requests of the last minute that each node had to answer */
	calls_by_node: Record<string, number>;
	/** requests of the last minute by what was asked for */
	calls_by_path: Record<string, number>;
	/** resources, status, tasks, node.{node}, storage.{node}, disks.{node}, updates.{node}, … */
	sources: Record<string, SourceState>;
}

/** One node. */
export interface NodeState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the node */
	node: string;
	/** as the cluster's membership says */
	status: NodeStatus;
	/** why the status is unknown, or why details are missing */
	reason: string | null;
	/** address in the cluster network */
	ip: string | null;
	/** when it was started; ms */
	boot_ms: number | null;
	/** busy share of all cores; % */
	cpu: number | null;
	/** share of time that waited for disks; % */
	iowait: number | null;
	/** cores */
	maxcpu: number | null;
	/** memory used; B */
	mem: number | null;
	/** memory; B */
	maxmem: number | null;
	/** swap used; B */
	swap: number | null;
	/** swap; B */
	maxswap: number | null;
	/** root file system used; B */
	disk: number | null;
	/** root file system; B */
	maxdisk: number | null;
	/** load average of one minute */
	load1: number | null;
	/** load average of five minutes */
	load5: number | null;
	/** load average of fifteen minutes */
	load15: number | null;
	/** the processor's own name */
	cpu_model: string | null;
	/** release of the running kernel */
	kernel: string | null;
	/** version of pve-manager */
	version: string | null;
	/** state of the node in high availability; null where there is none */
	ha_state: string | null;
}

/** One guest: a virtual machine or a container. */
export interface GuestState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** number of the guest */
	vmid: number;
	/** its name; null when Proxmox has not said one yet */
	name: string | null;
	/** virtual machine or container */
	type: GuestType;
	/** node on which it is */
	node: string;
	/** unknown when its node cannot be asked */
	status: GuestStatus;
	/** the last status that was known, while it is unknown */
	last_status: GuestStatus | null;
	/** why the status is unknown */
	reason: string | null;
	/** a template never runs */
	template: boolean;
	/** when it was started; null while it does not run; ms */
	boot_ms: number | null;
	/** busy share of its own cores; % */
	cpu: number | null;
	/** cores */
	maxcpu: number | null;
	/** memory used; may exceed maxmem on PVE 9; B */
	mem: number | null;
	/** memory; B */
	maxmem: number | null;
	/** memory that it costs the node; null before PVE 9; B */
	memhost: number | null;
	/** root disk used; null for virtual machines, which do not say; B */
	disk: number | null;
	/** root or boot disk; B */
	maxdisk: number | null;
	/** network traffic in; B/s */
	net_in: number | null;
	/** network traffic out; B/s */
	net_out: number | null;
	/** read from disk; B/s */
	disk_read: number | null;
	/** written to disk; B/s */
	disk_write: number | null;
	/** tags */
	tags: string[];
	/** pool */
	pool: string | null;
	/** what holds the guest locked: backup, migrate, snapshot, … */
	lock: string | null;
	/** state in high availability; null where it is not managed */
	ha_state: string | null;
}

/** A shared storage as one node sees it. */
export interface StorageNode {
	/** name of the node */
	node: string;
	/** as this node sees it */
	status: StorageStatus;
	/** why the status is unknown */
	reason: string | null;
}

/** One storage: of a node, or shared by several. */
export interface StorageState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the storage */
	storage: string;
	/** its node; null for a shared storage */
	node: string | null;
	/** one storage, seen by several nodes */
	shared: boolean;
	/** dir, lvmthin, zfspool, nfs, cifs, pbs, … */
	type: string | null;
	/** what may be kept there */
	content: string[];
	/** shared: available as long as one node reaches it */
	status: StorageStatus;
	/** why the status is unknown */
	reason: string | null;
	/** bytes used; B */
	used: number | null;
	/** bytes in all; B */
	total: number | null;
	/** the nodes of a shared storage; empty else */
	nodes: StorageNode[];
}

/** One Proxmox task. */
export interface Task {
	/** its UPID */
	upid: string;
	/** node on which it runs */
	node: string;
	/** qmstart, vzdump, … */
	type: string;
	/** what it acts on, mostly a vmid */
	id: string | null;
	/** who started it, with the token's name */
	user: string;
	/** when it started; ms */
	start_ms: number;
	/** when Proxmox noticed that it had ended; ms */
	end_ms: number | null;
	/** warning is success with warnings */
	status: TaskStatus;
	/** Proxmox's own words */
	exitstatus: string | null;
}

/** The last tasks of the cluster, newest first. */
export interface TasksState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** newest first */
	tasks: Task[];
}

/** One sensor. */
export interface Temperature {
	/** chip and label */
	sensor: string;
	/** the reading; null when it makes no sense; °C */
	celsius: number | null;
	/** the chip's own limit; °C */
	max: number | null;
	/** the chip's own critical limit; °C */
	critical: number | null;
}

/** One fan. */
export interface Fan {
	/** chip and label */
	fan: string;
	/** revolutions a minute; rpm */
	rpm: number | null;
}

/** Temperatures and fans of one node. */
export interface NodeThermal {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the node */
	node: string;
	/** the hottest reading of the processor; °C */
	cpu: number | null;
	/** why there is no reading */
	reason: string | null;
	/** every sensor */
	temperatures: Temperature[];
	/** every fan */
	fans: Fan[];
}

/** How the nodes answer the thermal collector; published after every cycle. */
export interface ThermalSources {
	/** when this was written; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** node.{node} */
	sources: Record<string, SourceState>;
}

/** One physical disk. */
export interface DiskState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the node */
	node: string;
	/** serial number; of a disk without one of its own its by-id link, its WWN or its device */
	serial: string;
	/** /dev/… */
	device: string | null;
	/** model */
	model: string | null;
	/** hdd, ssd, nvme, usb */
	type: string | null;
	/** bytes; B */
	size: number | null;
	/** what SMART says: PASSED, OK, FAILED!, UNKNOWN */
	health: string | null;
	/** what is left of the disk's life; null where it does not say; % */
	life_left: number | null;
	/** LVM, ZFS, partitions, … */
	used_by: string | null;
	/** its own temperature; °C */
	celsius: number | null;
	/** hours that it ran; h */
	power_on_hours: number | null;
	/** sectors that were replaced */
	reallocated: number | null;
	/** sectors that wait to be replaced */
	pending: number | null;
	/** errors of the medium, as an NVMe disk counts them */
	media_errors: number | null;
	/** why SMART is not known: a rotating disk is not woken for it */
	reason: string | null;
}

/** One ZFS pool. */
export interface ZfsPool {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the node */
	node: string;
	/** name of the pool */
	pool: string;
	/** ONLINE, DEGRADED, FAULTED, … */
	health: string | null;
	/** bytes in all; B */
	size: number | null;
	/** bytes used; B */
	used: number | null;
	/** how fragmented the free space is; % */
	fragmentation: number | null;
	/** the last scrub or resilver, in ZFS's own words */
	scan: string | null;
	/** known data errors, in ZFS's own words */
	errors: string | null;
	/** devices that are not ONLINE, or count errors: name, state, counts */
	bad_devices: string[];
}

/** One package that can be updated. */
export interface Package {
	/** its name */
	name: string;
	/** the version that waits */
	version: string | null;
	/** the version that is installed */
	old_version: string | null;
	/** a security update */
	security: boolean;
}

/** Packages that wait, and certificates that end. */
export interface NodeUpdates {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** name of the node */
	node: string;
	/** packages that wait */
	pending: number | null;
	/** of these, security updates */
	security: number | null;
	/** the packages, by name; Proxmox's own alone where the token may not ask for all */
	packages: Package[];
	/** only Proxmox's own packages were looked at */
	partial: boolean | null;
	/** when the API's certificate ends; ms */
	certificate_ends_ms: number | null;
	/** which: pveproxy-ssl.pem or pve-ssl.pem */
	certificate: string | null;
	/** why a value is missing */
	reason: string | null;
}

/** How well one guest is backed up. What was not said by a storage that could not be read is null. */
export interface GuestBackup {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** number of the guest */
	vmid: number;
	/** when the last good backup was begun; ms */
	last_ok_ms: number | null;
	/** storage that holds it */
	storage: string | null;
	/** bytes of it; B */
	size: number | null;
	/** its storage verified it; null where storages do not verify, or did not yet */
	verified: boolean | null;
	/** backups that are kept, on all storages */
	backups: number | null;
	/** when the last attempt failed; null when it did not; ms */
	last_error_ms: number | null;
	/** why the last attempt failed; null when it did not */
	last_error: string | null;
	/** an enabled backup job covers it */
	covered: boolean | null;
	/** the enabled jobs that cover it */
	jobs: string[];
	/** when the next of them runs; ms */
	next_run_ms: number | null;
	/** what is unknown, and why: which storages could not be read */
	reason: string | null;
}

/** One backup job. */
export interface BackupJob {
	/** its id */
	id: string;
	/** it runs by its schedule */
	enabled: boolean;
	/** calendar event, in Proxmox's own words */
	schedule: string | null;
	/** where the backups go */
	storage: string | null;
	/** the only node on which it runs; null: all */
	node: string | null;
	/** what its owner says of it */
	comment: string | null;
	/** guests that it covers */
	guests: number | null;
	/** when it runs next; ms */
	next_run_ms: number | null;
}

/** Backups of a guest that is not there any more. */
export interface OrphanedBackup {
	/** number that the guest had */
	vmid: number;
	/** where they are */
	storage: string;
	/** node of that storage; null for a shared one */
	node: string | null;
	/** how many */
	backups: number;
	/** bytes in all; B */
	size: number | null;
	/** when the newest was made; ms */
	newest_ms: number | null;
}

/** How well the cluster is backed up. */
export interface BackupPosture {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** guests, without templates */
	guests: number | null;
	/** guests that no enabled job covers */
	not_covered: number | null;
	/** guests without any backup; null while a storage cannot be read */
	never: number | null;
	/** the backup jobs */
	jobs: BackupJob[];
	/** backups of guests that are gone */
	orphans: OrphanedBackup[];
	/** what is unknown, and why: which storages could not be read */
	reason: string | null;
}

/** One replication job. */
export interface ReplicationJob {
	/** its id: vmid and number */
	id: string;
	/** node to which the guest is replicated */
	target: string;
	/** it runs by its schedule */
	enabled: boolean;
	/** calendar event, in Proxmox's own words */
	schedule: string | null;
	/** when it last succeeded; null: never; ms */
	last_ok_ms: number | null;
	/** when it runs next; ms */
	next_run_ms: number | null;
	/** how long the last run took; s */
	duration_s: number | null;
	/** attempts that failed since the last success */
	failures: number | null;
	/** why the last attempt failed; null when it did not */
	error: string | null;
}

/** Replication of one guest. */
export interface GuestReplication {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** number of the guest */
	vmid: number;
	/** its jobs */
	jobs: ReplicationJob[];
	/** why values are missing: the node of the guest cannot be asked */
	reason: string | null;
}

/** One snapshot of a guest. */
export interface Snapshot {
	/** its name */
	name: string;
	/** when it was made; ms */
	time_ms: number | null;
	/** what its owner says of it */
	description: string | null;
	/** the snapshot before it */
	parent: string | null;
	/** it holds the memory of the running machine too */
	memory: boolean;
}

/** The snapshots of one guest. */
export interface GuestSnapshots {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** number of the guest */
	vmid: number;
	/** oldest first */
	snapshots: Snapshot[];
	/** why they are not known at present */
	reason: string | null;
}

/** One disk or mount point of a guest. */
export interface GuestVolume {
	/** scsi0, rootfs, mp1, … */
	key: string;
	/** storage that holds it; null for a path or device */
	storage: string | null;
	/** name of the volume, path or device */
	volume: string | null;
	/** bytes; B */
	size: number | null;
	/** backups of the guest hold it */
	backed_up: boolean;
	/** path in a container */
	mount: string | null;
}

/** One network card of a guest. */
export interface GuestNic {
	/** net0, … */
	key: string;
	/** virtio, e1000, veth, … */
	model: string | null;
	/** hardware address */
	mac: string | null;
	/** bridge or virtual network */
	bridge: string | null;
	/** VLAN tag */
	vlan: number | null;
	/** address, where the configuration names one */
	address: string | null;
	/** Proxmox's firewall guards it */
	firewall: boolean;
}

/** What a guest is configured to be. Only what is named here leaves Proxmox: no passwords, no keys. */
export interface GuestConfig {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** number of the guest */
	vmid: number;
	/** Proxmox's digest of the whole configuration */
	digest: string | null;
	/** kind of operating system, in Proxmox's own word */
	os: string | null;
	/** processor sockets of a virtual machine */
	sockets: number | null;
	/** cores, of each socket */
	cores: number | null;
	/** memory; B */
	memory: number | null;
	/** swap of a container; B */
	swap: number | null;
	/** it starts with its node */
	onboot: boolean | null;
	/** order and delays at the start */
	startup: string | null;
	/** Proxmox refuses to remove it */
	protection: boolean | null;
	/** a guest agent is expected in it */
	agent: boolean | null;
	/** a container without root's rights on its node */
	unprivileged: boolean | null;
	/** name that a container bears */
	hostname: string | null;
	/** what its owner says of it */
	description: string | null;
	/** disks and mount points */
	volumes: GuestVolume[];
	/** network cards */
	nics: GuestNic[];
	/** why it is not known at present */
	reason: string | null;
}

/** One node in high availability. */
export interface HaNode {
	/** name of the node */
	node: string;
	/** active, idle, maintenance mode, … */
	state: string | null;
	/** when its local manager last reported; ms */
	seen_ms: number | null;
}

/** One guest in high availability. */
export interface HaService {
	/** vm:101, ct:110 */
	sid: string;
	/** number of the guest */
	vmid: number | null;
	/** node on which it is */
	node: string | null;
	/** started, stopped, fence, recovery, error, … */
	state: string | null;
	/** state that is asked for */
	wanted: string | null;
	/** what its owner says of it */
	comment: string | null;
}

/** High availability of the cluster. */
export interface HaState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** the manager sees quorum */
	quorate: boolean | null;
	/** node whose manager decides */
	master: string | null;
	/** active, old timestamp - dead?, … */
	master_state: string | null;
	/** armed, disarmed; null before PVE 9.2 */
	fencing: string | null;
	/** the local managers; empty where nothing is managed */
	nodes: HaNode[];
	/** the managed guests */
	services: HaService[];
}

/** One thing that Ceph complains of. */
export interface CephCheck {
	/** OSD_DOWN, … */
	name: string;
	/** HEALTH_WARN is warning, HEALTH_ERR critical */
	severity: Severity;
	/** in Ceph's own words */
	text: string | null;
}

/** Ceph, where there is one. */
export interface CephState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	cluster: string;
	/** HEALTH_OK, HEALTH_WARN, HEALTH_ERR */
	health: string | null;
	/** what it complains of */
	checks: CephCheck[];
	/** disks */
	osds: number | null;
	/** disks that run */
	osds_up: number | null;
	/** disks that hold data */
	osds_in: number | null;
	/** monitors */
	mons: number | null;
	/** monitors in quorum */
	mons_in_quorum: number | null;
	/** placement groups */
	pgs: number | null;
	/** of these, active and clean */
	pgs_clean: number | null;
	/** bytes used; B */
	used: number | null;
	/** bytes in all; B */
	total: number | null;
	/** share of the objects with too few copies; % */
	degraded: number | null;
}

/** One Docker host; published after every cycle. */
export interface DockerHost {
	/** when this was written; ms */
	ts: number;
	/** name in jarvis.yaml */
	host: string;
	/** version of the engine */
	version: string | null;
	/** containers */
	containers: number | null;
	/** containers that run */
	running: number | null;
	/** containers, stats */
	sources: Record<string, SourceState>;
}

/** One container. */
export interface ContainerState {
	/** when the values were observed; ms */
	ts: number;
	/** name in jarvis.yaml */
	host: string;
	/** name of the container */
	name: string;
	/** running, exited, restarting, … */
	status: string;
	/** healthy, unhealthy, starting; null without a health check */
	health: string | null;
	/** image */
	image: string | null;
	/** restarts by the engine */
	restarts: number | null;
	/** share of one core; % */
	cpu: number | null;
	/** memory used; B */
	mem: number | null;
}

/** Something happened. before and after are documents of the event's own kind. */
export interface Event {
	/** ULID */
	id: string;
	/** when it was noticed; ms */
	ts: number;
	/** new, update or end */
	event_type: EventType;
	/** topic, below the base, of what it is about */
	object: string | null;
	/** one sentence for people */
	text: string | null;
	/** the document before; null for new */
	before: unknown;
	/** the document after; null for end */
	after: unknown;
}

/** A Proxmox task started or ended. */
export interface EventTask {
	/** ULID */
	id: string;
	/** when it was noticed; ms */
	ts: number;
	/** new or end */
	event_type: EventType;
	/** name in jarvis.yaml */
	cluster: string;
	/** the task before; null for new */
	before: Task | null;
	/** the task now */
	after: Task | null;
}

/** An alert while it lives. */
export interface Alert {
	/** when this was written; ms */
	ts: number;
	/** {rule}.{object} */
	id: string;
	/** on, or off once acknowledged */
	state: AlertStatus;
	/** how bad */
	severity: Severity;
	/** one line */
	title: string;
	/** the details */
	message: string | null;
	/** topic, below the base, of what it is about */
	object: string | null;
	/** the value that raised it */
	value: number | null;
	/** its unit */
	unit: string | null;
	/** when it began; ms */
	since_ms: number;
	/** how often it was notified */
	count: number;
	/** may be acknowledged */
	can_acknowledge: boolean;
	/** who did */
	acknowledged_by: string | null;
	/** when; ms */
	acknowledged_ms: number | null;
	/** quiet until then; ms */
	snoozed_until_ms: number | null;
	/** when it is notified again; ms */
	next_notify_ms: number | null;
}

/** Acknowledge or snooze an alert. */
export interface AlertSet {
	/** made by the asker */
	request_id: string | null;
	/** ack, unack or snooze */
	op: string;
	/** for snooze; ms */
	until: number | null;
	/** why */
	reason: string | null;
}

/** On whose behalf the gateway asks. */
export interface Actor {
	/** user, token or mcp */
	kind: string;
	/** the person or token */
	name: string;
}

/** Please do this. */
export interface ActionRequest {
	/** made by the asker; the same one is answered the same for 24 h */
	request_id: string | null;
	/** name in tools.def */
	tool: string;
	/** the tool's arguments */
	args: unknown;
	/** several targets of one tool */
	targets: string[];
	/** why, for people */
	reason: string | null;
	/** the asker knows what it does */
	confirmed: boolean | null;
	/** from the gateway alone */
	actor: Actor | null;
	/** from the monitor alone */
	runbook: string | null;
	/** the asker may only propose: a person decides, whatever the level */
	proposes: boolean | null;
	/** only judge it: the reply is an action_verdict, and nothing is done or remembered */
	dry_run: boolean | null;
}

/** A person's decision. */
export interface ActionApproval {
	/** made by the asker */
	request_id: string | null;
	/** approve, deny or cancel */
	decision: string;
	/** SHA-256 of the bytes that were shown */
	digest: string;
	/** who */
	person: string | null;
	/** the keyword or code and the digest, sealed to the gate's key, in base64 */
	proof: string | null;
	/** from the gateway alone */
	actor: Actor | null;
}

/** What is sealed in a proof. It never stands on the bus in clear. */
export interface Proof {
	/** of what it approves */
	digest: string;
	/** as typed */
	keyword: string | null;
	/** as typed */
	code: string | null;
}

/** The target as it is shown to who approves: when it is another one by then, nothing is done. */
export interface StepSeen {
	/** where it is */
	node: string | null;
	/** its status */
	status: string | null;
	/** Proxmox's digest of a guest's configuration; null: not known */
	config_digest: string | null;
}

/** One target of an action. */
export interface ActionStep {
	/** CLUSTER/guest/VMID, CLUSTER/node/NODE, CLUSTER/storage/STORAGE; null for a tool without one */
	object: string | null;
	/** what its owner calls it */
	name: string | null;
	/** canonical arguments */
	args: unknown;
	/** what was known of it when it was shown */
	seen: StepSeen | null;
	/** how it stands */
	status: StepStatus;
	/** the Proxmox task */
	upid: string | null;
	/** what came out, or what is wrong */
	detail: string | null;
}

/** One action, from request to outcome; written by the safety gate alone. */
export interface ActionState {
	/** when this was written; ms */
	ts: number;
	/** ULID */
	id: string;
	/** how it stands */
	status: ActionStatus;
	/** as judged */
	tier: Tier;
	/** name in tools.def */
	tool: string;
	/** who asked */
	principal: string;
	/** on whose behalf */
	actor: Actor | null;
	/** the runbook that asked */
	runbook: string | null;
	/** why it was asked for, in the asker's words */
	reason: string | null;
	/** the rule that decided */
	rule: string | null;
	/** what was decided and why, for people */
	verdict: string | null;
	/** what approving it takes */
	need: ActionNeed;
	/** SHA-256 of shown: what an approval is for */
	digest: string | null;
	/** the exact bytes that are approved: JSON, see action_shown */
	shown: string | null;
	/** what was known when it was judged */
	facts: string[];
	/** its targets, in their order */
	steps: ActionStep[];
	/** who approved it */
	approved_by: string | null;
	/** the last line of its log */
	line: string | null;
	/** how it ended, for people */
	summary: string | null;
	/** when it was asked for; ms */
	created_ms: number;
	/** when waiting or a window ends; ms */
	until_ms: number | null;
	/** when it was over; ms */
	ended_ms: number | null;
}

/** What a person approves; its bytes are what the digest is of. */
export interface ActionShown {
	/** the action */
	id: string;
	/** name in tools.def */
	tool: string;
	/** what the tool does */
	sentence: string;
	/** as judged */
	tier: Tier;
	/** who asks */
	principal: string;
	/** on whose behalf */
	actor: Actor | null;
	/** why, in the asker's words */
	reason: string | null;
	/** what it acts on, with its arguments */
	steps: ActionStep[];
	/** what was known when it was judged */
	facts: string[];
	/** what will be checked afterwards */
	verify: string;
	/** SHA-256 of the policy it was judged by */
	policy: string;
	/** until when it can be approved; ms */
	until_ms: number;
}

/** How a request would be judged now; nothing was done, recorded or remembered. */
export interface ActionVerdict {
	/** always true */
	dry_run: boolean;
	/** allow: done at once; ask: waits for what it needs; refuse: by policy; state: its target is not in the state for it */
	decision: ActionDecision;
	/** as judged */
	tier: Tier;
	/** the rule that decided */
	rule: string | null;
	/** what was decided and why, for people */
	reason: string | null;
	/** what approving it takes */
	need: ActionNeed;
	/** what it was judged by */
	facts: string[];
	/** its targets with their canonical arguments, as far as they could be read */
	steps: ActionStep[];
	/** what will be checked afterwards */
	verify: string | null;
}

/** An action in the gate's database. */
export interface ActionRecord {
	/** as published */
	state: ActionState;
	/** the asker's */
	request_id: string | null;
	/** the asker knew */
	confirmed: boolean;
	/** the step that runs, or is next */
	step: number;
	/** of the grant that is out */
	gid: string | null;
	/** of the claim that it answered */
	nonce: string | null;
	/** of the executor that claimed it */
	epoch: number;
	/** when; ms */
	granted_ms: number | null;
	/** a person wants it to end */
	is_cancelling: boolean;
	/** what the last step returned: JSON */
	result: string | null;
	/** the last step failed */
	is_error: boolean;
}

/** How much Jarvis may do by itself; a heartbeat too. */
export interface AutonomyState {
	/** when this was written; ms */
	ts: number;
	/** 0 observe … 4 guarded autopilot */
	level: number;
	/** levels of runbooks that have one of their own */
	runbooks: Record<string, number>;
	/** nothing but reads */
	frozen: boolean;
	/** who set it */
	by: string | null;
	/** until when; ms */
	until_ms: number | null;
	/** why the gate does nothing but reads at present; null while it is fit */
	unfit: string | null;
	/** why agents may do nothing but reads at present, while persons go on; null while they may */
	unfit_agents: string | null;
	/** persons who have a keyword */
	keywords: string[];
	/** persons who have a one-time code */
	codes: string[];
	/** SHA-256 of the policy in force */
	policy: string;
}

/** Change the level, freeze, unfreeze. */
export interface AutonomySet {
	/** made by the asker */
	request_id: string | null;
	/** level, freeze or unfreeze */
	op: string;
	/** 0 to 4 */
	level: number | null;
	/** only for this runbook */
	runbook: string | null;
	/** who */
	person: string | null;
	/** the sealed code; its digest is the request_id, filled with zeros */
	proof: string | null;
	/** from the gateway alone */
	actor: Actor | null;
}

/** Signed head of the audit chain. */
export interface AuditCheckpoint {
	/** when it was signed; ms */
	ts: number;
	/** the installation */
	origin: string;
	/** records */
	size: number;
	/** SHA-256 of the last record */
	head: string;
	/** Ed25519 over origin, size and head */
	signature: string;
}

/** An executor has started, and wants its epoch. */
export interface ExecutorHello {
	/** 32 random bytes in hexadecimal */
	nonce: string;
	/** gid of every grant that it works on, or whose result it still has to report */
	holds: string[];
}

/** The epoch of the executor that said this nonce. Whoever has a lower one is not heard any more. */
export interface ExecutorEpoch {
	/** from executor_hello */
	nonce: string;
	/** counts up */
	epoch: number;
}

/** The executor asks for the grant of an approved action's next step. */
export interface GrantClaim {
	/** the action */
	id: string;
	/** 32 random bytes in hexadecimal, used once */
	nonce: string;
	/** of this executor */
	epoch: number;
}

/** The answer to a claim: a signed grant, or why there is none. */
export interface Grant {
	/** the action */
	id: string;
	/** of the claim */
	nonce: string;
	/** payloadType, payload, signatures; null when it is refused */
	envelope: unknown;
	/** why there is no grant */
	refused: string | null;
}

/** What the gate saw of the target; the executor looks again. */
export interface GrantTarget {
	/** CLUSTER/guest/VMID, CLUSTER/node/NODE, CLUSTER/storage/STORAGE */
	object: string;
	/** name of a guest */
	name: string | null;
	/** qemu or lxc */
	type: string | null;
	/** where it is */
	node: string | null;
	/** as the gate saw it */
	status: string | null;
	/** as the gate saw it; null: none */
	lock: string | null;
	/** Proxmox's digest of a guest's configuration as it was approved, from orange on; null: not known */
	config_digest: string | null;
}

/** What is signed. The executor takes everything from here. */
export interface GrantPayload {
	/** 1 */
	v: number;
	/** 128 random bits; used once */
	gid: string;
	/** the action */
	id: string;
	/** which of its targets, from 0 */
	step: number;
	/** of the executor that it is for */
	epoch: number;
	/** of the claim that it answers */
	nonce: string;
	/** from the claim on; ms */
	valid_ms: number;
	/** as judged */
	tier: Tier;
	/** who asked */
	principal: string;
	/** on whose behalf */
	actor: Actor | null;
	/** who approved */
	approved_by: string | null;
	/** SHA-256 of the policy it was judged by */
	policy: string;
	/** name in tools.def */
	tool: string;
	/** canonical arguments */
	args: unknown;
	/** what it acts on */
	target: GrantTarget | null;
}

/** What a running step says. */
export interface ActionProgress {
	/** the action */
	id: string;
	/** which of its targets */
	step: number;
	/** of the grant */
	gid: string;
	/** the Proxmox task, as soon as there is one */
	upid: string | null;
	/** the newest line of its log */
	line: string | null;
}

/** How a step ended. */
export interface ActionResult {
	/** the action */
	id: string;
	/** which of its targets */
	step: number;
	/** of the grant */
	gid: string;
	/** verified, still_failing, unknown, failed or cancelled */
	outcome: StepStatus;
	/** the Proxmox task */
	upid: string | null;
	/** in a sentence */
	detail: string | null;
	/** what the tool returned */
	content: unknown;
}

/** A person wants a running action to end. */
export interface ActionCancel {
	/** the action */
	id: string;
	/** of the grant */
	gid: string;
}

/** A one-use button in a notification, minted by the safety gate. */
export interface Ticket {
	/** the ticket */
	id: string;
	/** what it decides */
	action: string;
	/** of the bytes that were shown */
	digest: string;
	/** until when it counts; ms */
	until_ms: number;
}

/** Models, and what they cost. */
export interface LlmState {
	/** when this was written; ms */
	ts: number;
	/** the cloud model; null when there is none */
	cloud: string | null;
	/** it answers */
	cloud_ok: boolean | null;
	/** the local model; null when there is none */
	local: string | null;
	/** it answers */
	local_ok: boolean | null;
	/** today; USD */
	spent_today: number | null;
	/** what may be spent a day; USD */
	budget_today: number | null;
}

/** A few tokens. */
export interface ChatDelta {
	/** ULID of the turn */
	turn: string;
	/** counts from 0 */
	n: number;
	/** the tokens */
	text: string;
}

/** A finished turn. */
export interface ChatTurn {
	/** ULID */
	id: string;
	/** when it ended; ms */
	ts: number;
	/** user or assistant */
	role: string;
	/** what was said */
	text: string;
	/** which model, and why */
	route: string | null;
}

/** A person says something. */
export interface ChatSay {
	/** made by the asker */
	request_id: string | null;
	/** what is said */
	text: string;
	/** from the gateway alone */
	actor: Actor | null;
}

/** One terminal session; its bytes never touch the broker. */
export interface TerminalState {
	/** when this was written; ms */
	ts: number;
	/** ULID */
	session: string;
	/** host and command */
	title: string;
	/** open, detached, ended */
	status: string;
	/** who look at it */
	viewers: number;
	/** who types */
	driver: string | null;
}

/** A command to one service. */
export interface Request {
	/** made by the asker */
	request_id: string | null;
	/** refresh, … */
	op: string;
	/** topics, below the base, of what is meant */
	objects: string[];
	/** a page ends before this number */
	before: number | null;
	/** so many on a page */
	limit: number | null;
	/** only what is of this kind */
	kind: string | null;
}

/** The answer to a command, at reply/{principal}/{request_id}. */
export interface Reply {
	/** the command's */
	request_id: string;
	/** ok, error, denied or waiting */
	status: ReplyStatus;
	/** a word for programs, when it is not ok */
	code: string | null;
	/** a sentence for people */
	text: string | null;
	/** what was asked for */
	result: unknown;
}

/** Log in. */
export interface Login {
	/** name of the person */
	user: string;
	/** the password */
	password: string;
}

/** Who is logged in. */
export interface Session {
	/** name of the person, or of the token */
	user: string;
	/** what it may do */
	role: Role;
	/** session or token */
	kind: string;
	/** for a token: what it may do */
	scopes: string[];
	/** when it ends; ms */
	expires_ms: number | null;
	/** the password is the initial one */
	must_change_password: boolean;
	/** this browser came over plain HTTP from another machine */
	insecure: boolean;
	/** version of Jarvis */
	version: string;
}

/** Change one's own password. */
export interface PasswordChange {
	/** the present one */
	old_password: string;
	/** at least 10 characters */
	new_password: string;
	/** made by the asker */
	request_id: string | null;
}

/** Make an API token. */
export interface TokenCreate {
	/** what it is for */
	name: string;
	/** read, read_logs, propose, operate, metrics */
	scopes: string[];
	/** until it expires: 1 to 365, 90 by default; d */
	days: number | null;
	/** made by the asker */
	request_id: string | null;
}

/** Revoke an API token. */
export interface TokenDelete {
	/** the token's id */
	id: string;
	/** made by the asker */
	request_id: string | null;
}

/** One API token. */
export interface Token {
	/** its id: the part between the underscores */
	id: string;
	/** what it is for */
	name: string;
	/** what it may do */
	scopes: string[];
	/** when it was made; ms */
	created_ms: number;
	/** when it ends; ms */
	expires_ms: number;
	/** when it was last used; ms */
	last_used_ms: number | null;
	/** the whole token; shown once, when it is made */
	secret: string | null;
}

/** API tokens of the installation. */
export interface TokenList {
	/** newest first */
	items: Token[];
	/** cursor of the next page */
	next: string | null;
}

/** It is done. */
export interface Done {
	/** always true */
	ok: boolean;
}

/** Use a tool. */
export interface ToolExecute {
	/** made by the asker; the same one is answered the same for 24 h */
	request_id: string;
	/** name of the tool */
	tool: string;
	/** its arguments */
	args: unknown;
	/** several targets of one tool */
	targets: string[];
	/** why, for people */
	reason: string | null;
	/** the asker knows what it does */
	confirmed: boolean | null;
	/** approves what needs the keyword */
	keyword: string | null;
	/** approves what needs a one-time code */
	code: string | null;
	/** how long the answer waits for the end: 0 to 60, 10 by default; s */
	wait_s: number | null;
	/** only judge it: the answer is an action_verdict, and nothing is done or remembered */
	dry_run: boolean | null;
}

/** Approve, deny or cancel an action. */
export interface ActionDecide {
	/** made by the asker */
	request_id: string | null;
	/** of the bytes that were shown; needed to approve */
	digest: string | null;
	/** for what needs the keyword */
	keyword: string | null;
	/** for what needs a one-time code */
	code: string | null;
}

/** Change the level. */
export interface AutonomyChange {
	/** made by the asker */
	request_id: string | null;
	/** 0 to 4 */
	level: number;
	/** only for this runbook */
	runbook: string | null;
	/** one-time code; needed to raise it */
	code: string | null;
}

/** Freeze or unfreeze. */
export interface FreezeChange {
	/** made by the asker */
	request_id: string | null;
	/** one-time code; needed to unfreeze */
	code: string | null;
}

/** What became of an action so far. */
export interface ActionAnswer {
	/** ULID */
	id: string;
	/** as in action_state */
	status: string;
	/** as judged */
	tier: string | null;
	/** the rule that decided */
	rule: string | null;
	/** what approving it takes */
	need: string | null;
	/** of the bytes that an approval is for */
	digest: string | null;
	/** when waiting ends; ms */
	until_ms: number | null;
	/** it was done, and failed */
	is_error: boolean | null;
	/** in a sentence */
	text: string | null;
	/** what the tool returned */
	content: unknown;
}

/** What the safety gate refused, and by which rule: the body of 403, 409 and 429. */
export interface ActionRefusal {
	/** always true */
	blocked: boolean;
	/** as judged */
	tier: string | null;
	/** the rule that decided */
	rule: string | null;
	/** why, and what would help */
	reason: string;
}

/** One service as the gateway sees it. */
export interface ServiceView {
	/** name */
	service: string;
	/** instance */
	instance: string;
	/** online, offline or unknown */
	state: string;
	/** version */
	version: string | null;
	/** since it was last heard; null: never; ms */
	age_ms: number | null;
	/** /readyz waits for it */
	required: boolean;
}

/** All services. */
export interface HealthView {
	/** ok or degraded */
	status: string;
	/** the gateway is connected to the broker */
	broker: boolean;
	/** every service that was ever heard of */
	services: ServiceView[];
}

/** What may be asked for with a unit of a node. */
export interface UnitVerb {
	/** service_restart or service_stop */
	tool: string;
	/** what it costs a person at least; the safety gate may judge it higher */
	tier: Tier;
}

/** A systemd unit that services of jarvis.yaml lists for a node. */
export interface UnitListed {
	/** its full name */
	unit: string;
	/** what may be done with it; its status and journal may always be read */
	verbs: UnitVerb[];
}

/** A parameter of a command; all of them must be given. */
export interface ParameterListed {
	/** name */
	name: string;
	/** int, word, name, path, url; a client takes one that it does not know as text */
	type: string;
	/** with type word: what it may be; path: folders that it may be or lie below; url: its hosts */
	words: string[];
	/** with type int: the least that it may be */
	min: number | null;
	/** with type int: the most that it may be */
	max: number | null;
	/** what it means */
	about: string | null;
}

/** A command that commands of jarvis.yaml lists for a node. */
export interface CommandListed {
	/** for run_command */
	id: string;
	/** what it does */
	about: string;
	/** what it costs a person at least; the safety gate may judge it higher */
	tier: Tier;
	/** how long it may take; s */
	timeout_s: number;
	/** its parameters */
	params: ParameterListed[];
}

/** What may be asked for on a node itself, by jarvis.yaml; its own catalogue has the last word. */
export interface NodeCatalogue {
	/** its cluster */
	cluster: string;
	/** its Proxmox name */
	node: string;
	/** why nothing on it can be read or done over SSH, and how to mend it; null: it can be tried */
	blocked: string | null;
	/** units, in the order of the configuration */
	units: UnitListed[];
	/** commands, likewise */
	commands: CommandListed[];
}

/** An error, after RFC 9457. */
export interface Problem {
	/** about:blank, or what names the kind of error */
	type: string;
	/** in short */
	title: string;
	/** the HTTP status */
	status: number;
	/** what was wrong, and how to mend it */
	detail: string | null;
}

/** Message name to its interface. */
export interface Messages {
	bare: Bare;
	service_info: ServiceInfo;
	service_health: ServiceHealth;
	service_log: ServiceLog;
	source_state: SourceState;
	finding: Finding;
	cluster_state: ClusterState;
	node_state: NodeState;
	guest_state: GuestState;
	storage_node: StorageNode;
	storage_state: StorageState;
	task: Task;
	tasks_state: TasksState;
	temperature: Temperature;
	fan: Fan;
	node_thermal: NodeThermal;
	thermal_sources: ThermalSources;
	disk_state: DiskState;
	zfs_pool: ZfsPool;
	package: Package;
	node_updates: NodeUpdates;
	guest_backup: GuestBackup;
	backup_job: BackupJob;
	orphaned_backup: OrphanedBackup;
	backup_posture: BackupPosture;
	replication_job: ReplicationJob;
	guest_replication: GuestReplication;
	snapshot: Snapshot;
	guest_snapshots: GuestSnapshots;
	guest_volume: GuestVolume;
	guest_nic: GuestNic;
	guest_config: GuestConfig;
	ha_node: HaNode;
	ha_service: HaService;
	ha_state: HaState;
	ceph_check: CephCheck;
	ceph_state: CephState;
	docker_host: DockerHost;
	container_state: ContainerState;
	event: Event;
	event_task: EventTask;
	alert: Alert;
	alert_set: AlertSet;
	actor: Actor;
	action_request: ActionRequest;
	action_approval: ActionApproval;
	proof: Proof;
	step_seen: StepSeen;
	action_step: ActionStep;
	action_state: ActionState;
	action_shown: ActionShown;
	action_verdict: ActionVerdict;
	action_record: ActionRecord;
	autonomy_state: AutonomyState;
	autonomy_set: AutonomySet;
	audit_checkpoint: AuditCheckpoint;
	executor_hello: ExecutorHello;
	executor_epoch: ExecutorEpoch;
	grant_claim: GrantClaim;
	grant: Grant;
	grant_target: GrantTarget;
	grant_payload: GrantPayload;
	action_progress: ActionProgress;
	action_result: ActionResult;
	action_cancel: ActionCancel;
	ticket: Ticket;
	llm_state: LlmState;
	chat_delta: ChatDelta;
	chat_turn: ChatTurn;
	chat_say: ChatSay;
	terminal_state: TerminalState;
	request: Request;
	reply: Reply;
	login: Login;
	session: Session;
	password_change: PasswordChange;
	token_create: TokenCreate;
	token_delete: TokenDelete;
	token: Token;
	token_list: TokenList;
	done: Done;
	tool_execute: ToolExecute;
	action_decide: ActionDecide;
	autonomy_change: AutonomyChange;
	freeze_change: FreezeChange;
	action_answer: ActionAnswer;
	action_refusal: ActionRefusal;
	service_view: ServiceView;
	health_view: HealthView;
	unit_verb: UnitVerb;
	unit_listed: UnitListed;
	parameter_listed: ParameterListed;
	command_listed: CommandListed;
	node_catalogue: NodeCatalogue;
	problem: Problem;
}

/** Every topic below the base. `source`: see topics.md, Freshness; '*' is a source document. */
export const TOPICS = {
	SERVICE_STATE: { pattern: 'service/{service}/{instance}/state', class: 'presence', message: 'bare', owner: '', source: '' },
	SERVICE_INFO: { pattern: 'service/{service}/{instance}/info', class: 'state', message: 'service_info', owner: '', source: '' },
	SERVICE_HEALTH: { pattern: 'service/{service}/{instance}/health', class: 'stream', message: 'service_health', owner: '', source: '' },
	SERVICE_LOG: { pattern: 'service/{service}/{instance}/log', class: 'stream', message: 'service_log', owner: '', source: '' },
	CLUSTER_STATE: { pattern: 'pve/{cluster}/state', class: 'state', message: 'cluster_state', owner: 'proxmox-poller', source: '*' },
	TASKS_STATE: { pattern: 'pve/{cluster}/tasks', class: 'state', message: 'tasks_state', owner: 'proxmox-poller', source: 'tasks' },
	BACKUPS_STATE: { pattern: 'pve/{cluster}/backups', class: 'state', message: 'backup_posture', owner: 'proxmox-poller', source: 'backups' },
	HA_STATE: { pattern: 'pve/{cluster}/ha', class: 'state', message: 'ha_state', owner: 'proxmox-poller', source: 'ha' },
	CEPH_STATE: { pattern: 'pve/{cluster}/ceph', class: 'state', message: 'ceph_state', owner: 'proxmox-poller', source: 'ceph' },
	THERMAL_SOURCES: { pattern: 'pve/{cluster}/thermal', class: 'state', message: 'thermal_sources', owner: 'thermal-collector', source: '*' },
	NODE_STATE: { pattern: 'pve/{cluster}/node/{node}/state', class: 'state', message: 'node_state', owner: 'proxmox-poller', source: 'resources' },
	NODE_THERMAL: { pattern: 'pve/{cluster}/node/{node}/thermal', class: 'state', message: 'node_thermal', owner: 'thermal-collector', source: 'node.{node}' },
	DISK_STATE: { pattern: 'pve/{cluster}/node/{node}/disk/{serial}', class: 'state', message: 'disk_state', owner: 'proxmox-poller', source: 'disks.{node}' },
	POOL_STATE: { pattern: 'pve/{cluster}/node/{node}/pool/{pool}', class: 'state', message: 'zfs_pool', owner: 'proxmox-poller', source: 'disks.{node}' },
	NODE_UPDATES: { pattern: 'pve/{cluster}/node/{node}/updates', class: 'state', message: 'node_updates', owner: 'proxmox-poller', source: 'updates.{node}' },
	GUEST_STATE: { pattern: 'pve/{cluster}/guest/{vmid}/state', class: 'state', message: 'guest_state', owner: 'proxmox-poller', source: 'resources' },
	GUEST_BACKUP: { pattern: 'pve/{cluster}/guest/{vmid}/backup', class: 'state', message: 'guest_backup', owner: 'proxmox-poller', source: 'backups' },
	GUEST_REPLICATION: { pattern: 'pve/{cluster}/guest/{vmid}/replication', class: 'state', message: 'guest_replication', owner: 'proxmox-poller', source: 'replication' },
	GUEST_SNAPSHOTS: { pattern: 'pve/{cluster}/guest/{vmid}/snapshots', class: 'state', message: 'guest_snapshots', owner: 'proxmox-poller', source: 'guests' },
	GUEST_CONFIG: { pattern: 'pve/{cluster}/guest/{vmid}/config', class: 'state', message: 'guest_config', owner: 'proxmox-poller', source: 'guests' },
	STORAGE_STATE: { pattern: 'pve/{cluster}/storage/{node}/{storage}/state', class: 'state', message: 'storage_state', owner: 'proxmox-poller', source: 'storage.{node}' },
	DOCKER_HOST: { pattern: 'docker/{host}/state', class: 'state', message: 'docker_host', owner: 'docker-poller', source: '*' },
	CONTAINER_STATE: { pattern: 'docker/{host}/container/{name}/state', class: 'state', message: 'container_state', owner: 'docker-poller', source: 'containers' },
	EVENT_STATUS: { pattern: 'event/status', class: 'event', message: 'event', owner: 'monitor', source: '' },
	EVENT_SERVICE: { pattern: 'event/service', class: 'event', message: 'event', owner: 'monitor', source: '' },
	EVENT_HEARTBEAT: { pattern: 'event/heartbeat', class: 'event', message: 'event', owner: 'monitor', source: '' },
	EVENT_ALERT: { pattern: 'event/alert', class: 'event', message: 'event', owner: 'monitor', source: '' },
	EVENT_ACTION: { pattern: 'event/action', class: 'event', message: 'event', owner: 'safety-gate', source: '' },
	EVENT_TASK: { pattern: 'event/task', class: 'event', message: 'event_task', owner: 'proxmox-poller', source: '' },
	EVENT_NOTIFY: { pattern: 'event/notify', class: 'event', message: 'event', owner: 'notifier', source: '' },
	EVENT_LLM: { pattern: 'event/llm', class: 'event', message: 'event', owner: 'llm-router', source: '' },
	EVENT_SESSION: { pattern: 'event/session', class: 'event', message: 'event', owner: 'terminal', source: '' },
	ALERT: { pattern: 'alert/{id}', class: 'state', message: 'alert', owner: 'monitor', source: '' },
	ALERT_SET: { pattern: 'alert/{id}/set/{principal}', class: 'command', message: 'alert_set', owner: '', source: '' },
	ACTION_REQUEST: { pattern: 'action/request/{principal}', class: 'command', message: 'action_request', owner: '', source: '' },
	ACTION_APPROVAL: { pattern: 'action/{id}/approval/{principal}', class: 'command', message: 'action_approval', owner: '', source: '' },
	ACTION_STATE: { pattern: 'action/{id}/state', class: 'state', message: 'action_state', owner: 'safety-gate', source: '' },
	AUTONOMY_STATE: { pattern: 'autonomy/state', class: 'state', message: 'autonomy_state', owner: 'safety-gate', source: '' },
	AUTONOMY_SET: { pattern: 'autonomy/set/{principal}', class: 'command', message: 'autonomy_set', owner: '', source: '' },
	AUDIT_CHECKPOINT: { pattern: 'audit/checkpoint', class: 'state', message: 'audit_checkpoint', owner: 'safety-gate', source: '' },
	LLM_STATE: { pattern: 'llm/state', class: 'state', message: 'llm_state', owner: 'llm-router', source: '' },
	CHAT_DELTA: { pattern: 'chat/{conversation}/delta', class: 'stream', message: 'chat_delta', owner: 'llm-router', source: '' },
	CHAT_TURN: { pattern: 'chat/{conversation}/turn', class: 'event', message: 'chat_turn', owner: 'llm-router', source: '' },
	CHAT_SAY: { pattern: 'chat/{conversation}/say/{principal}', class: 'command', message: 'chat_say', owner: '', source: '' },
	TERMINAL_STATE: { pattern: 'terminal/{session}/state', class: 'state', message: 'terminal_state', owner: 'terminal', source: '' },
	REQUEST: { pattern: 'request/{service}/{principal}', class: 'command', message: 'request', owner: '', source: '' },
	REPLY: { pattern: 'reply/{principal}/{request_id}', class: 'reply', message: 'reply', owner: '', source: '' },
	X_HELLO: { pattern: 'x/hello', class: 'internal', message: 'executor_hello', owner: 'executor', source: '' },
	X_EPOCH: { pattern: 'x/epoch', class: 'internal', message: 'executor_epoch', owner: 'safety-gate', source: '' },
	X_CLAIM: { pattern: 'x/claim', class: 'internal', message: 'grant_claim', owner: '', source: '' },
	X_GRANT: { pattern: 'x/grant', class: 'internal', message: 'grant', owner: 'safety-gate', source: '' },
	X_PROGRESS: { pattern: 'x/progress', class: 'internal', message: 'action_progress', owner: '', source: '' },
	X_RESULT: { pattern: 'x/result', class: 'internal', message: 'action_result', owner: '', source: '' },
	X_CANCEL: { pattern: 'x/cancel', class: 'internal', message: 'action_cancel', owner: 'safety-gate', source: '' },
	X_TICKET: { pattern: 'x/ticket', class: 'internal', message: 'ticket', owner: 'safety-gate', source: '' },
} as const;
