// What may stay in a redacted answer: words that Proxmox itself chose. Everything else that is text is replaced.

/** Words that mean the same in every installation, whatever the key. */
const PLAIN = `online offline unknown running stopped paused suspended prelaunch io-error internal-error postmigrate available
	inactive disabled enabled active dead failed exited ok error OK started ignored queued fence recovery freeze migrate relocate
	node qemu lxc storage cluster pool sdn network vm ct openvz zone quorum master lrm fencing service manager
	dir lvm lvmthin zfs zfspool nfs cifs pbs cephfs rbd glusterfs iscsi iscsidirect btrfs esxi
	images rootdir backup vztmpl iso snippets import raw qcow2 vmdk subvol tgz zst vma vma.zst vma.gz vma.lzo tar.zst tar.gz tar.lzo pbs-vm pbs-ct
	true false yes no on off none auto default all any idle efi bios legacy-bios uefi 0 1
	ssd hdd nvme usb PASSED FAILED UNKNOWN ONLINE DEGRADED FAULTED OFFLINE UNAVAIL REMOVED AVAIL LVM ZFS partitions mounted
	ata sata sas scsi host l26 l24 w2k8 win7 win8 win10 win11 wxp w2k other solaris debian ubuntu alpine archlinux centos fedora
	gentoo nixos opensuse unmanaged amd64 arm64 i386 x86_64 Linux
	HEALTH_OK HEALTH_WARN HEALTH_ERR GenuineIntel AuthenticAMD snapshot suspend stop zstd lzo gzip local
	simple bridge bond eth vlan static manual dhcp localnetwork notfound invalid expired current
	text ata sas order_by_id virtio-scsi-single virtio-scsi-pci lsi seabios ovmf q35 i440fx cloud-init interrupted
	qmstart qmstop qmshutdown qmreboot qmreset qmsuspend qmresume qmigrate qmclone qmcreate qmdestroy qmsnapshot qmrollback
	qmdelsnapshot qmconfig qmtemplate qmmove qmrestore vzstart vzstop vzshutdown vzreboot vzmigrate vzclone vzcreate vzdestroy vzsnapshot vzrollback
	vzdelsnapshot vzrestore vzdump hamigrate hastart hastop startall stopall migrateall aptupdate imgcopy imgdel download
	vncproxy vncshell spiceproxy termproxy srvstart srvstop srvrestart srvreload replication cephcreateosd acmeneworder`
	.split(/\s+/).filter(Boolean);

export const SAFE_WORDS = new Set(PLAIN);

/** Keys whose values have a form that holds nothing of the owner's. */
const VERSION = /^\d[\w.+~:-]{0,39}$/;
const BUILD = '#\\d+ SMP [\\w .:()~+-]+';
export const SAFE_FORMS = {
	version: new RegExp(`^(\\d[\\w.+~:-]{0,39}|${BUILD})$`), 'running-qemu': VERSION, 'running-machine': /^pc-[\w.+-]+$/,
	'pbs-library-version': /^\d[\w.+ ()-]{0,60}$/, release: /^\d+(\.\d+)*(-[\w.+-]+)?$/, repoid: /^[0-9a-f]{8,40}$/, pveversion: /^pve-manager\/[\d.~a-z-]+\/[0-9a-f]+$/,
	kversion: new RegExp(`^Linux [\\d.]+-[\\w.-]*pve[\\w.-]* ${BUILD}$`), sysname: /^Linux$/, machine: /^[a-z0-9_]+$/,
	model: /^[\w() .@/+,-]*(Intel|AMD|Xeon|Ryzen|EPYC|Core|CPU)[\w() .@/+,-]*$/, vendor: /^(GenuineIntel|AuthenticAMD)$/,
	flags: /^[a-z0-9_ ]+$/, mhz: /^[\d.]+$/, family: /^\d+$/, hvm: /^[01]$/, level: /^[cbsp]?$/, exitstatus: /^(OK|WARNINGS: \d+|job errors|interrupted by signal|unexpected status)$/,
	status: /^(OK|WARNINGS: \d+|job errors|interrupted by signal|unexpected status)$/, schedule: /^[\d*,:/. -]*$|^(mon|tue|wed|thu|fri|sat|sun)[\d*,:/. a-z-]*$/,
};

/** Numbers and texts of digits that tell one thing in the world from another. */
export const TELLING_KEY = /serial|wwn|uuid|fingerprint|digest|secret|passw|token|ticket|csrf|^sid$|machine-?id|^key$|sshkey|smbios|vmgenid|email|phone|licen[cs]e|mac|csum|^by_id|guid/i;

/** Keys whose words the owner chose, whatever they look like. */
export const OWN_KEY = /^(name|node|storage|pool|poolid|user|userid|tokenid|tags?|description|notes?|comment|hostname|realm|group|ring\d_addr|search(domain)?|nameserver|ciuser|cipassword|sshkeys|cicustom|target|source|server|export|share|datastore|namespace|username|domain|volid|subject|issuer|san|pem|snapname|parent|iface|master|alias|zone|vnet|sdn|network|bridge_ports|id|upid)$/;

/** Names that Proxmox or its installer gave; they are replaced like all names, but tell nothing where they stand in other words. */
export const NOT_TELLING = new Set(['pve', 'proxmox', 'local', 'local-lvm', 'local-zfs', 'root', 'pam', 'root@pam', 'data', 'rpool', 'vmbr0',
	'localnetwork', 'localhost', '127.0.0.1']);

/** Names that Proxmox gives to its own fields: a guest that is called so does not make them go. */
export const FIELD_NAME = /^(id|type|node|name|status|level|cpu|maxcpu|mem|maxmem|memhost|disk|maxdisk|uptime|netin|netout|diskread|diskwrite|template|vmid|pool|tags|lock|hastate|storage|content|shared|plugintype|active|enabled|used|avail|total|used_fraction|version|data|errors|message|ip|nodeid|local|online|quorate|nodes|votes|quorum|backup|data\d?|time|size|format|network|zone|sdn|swap|memory|rootfs|free|user|upid|pid|starttime|endtime|saved|state|health|serial|model|vendor)$/;
