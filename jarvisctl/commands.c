/* SPDX-License-Identifier: MIT */
/*
 * What there is to call: the help, the manual page and the completion of shells are made of this table.
 */
#include "jarvisctl/commands.h"

#include "jarvisctl/jarvisctl.h"

const struct command command_table[] = {
	{ "action",
	  "  jarvisctl action [--json] ID\n"
	  "      everything about one action: what, who, why, facts, digest, outcome\n",
	  "one action", command_action, true },
	{ "actions",
	  "  jarvisctl actions [--all] [--json]\n"
	  "      what waits or runs; --all: also what is over\n",
	  "what was asked for", command_actions, true },
	{ "approve",
	  "  jarvisctl approve [--keyword-file FILE] [--code-file FILE] [--yes] [--digest HEX] [--wait S] [--json] ID\n"
	  "      shows what is approved, asks for the keyword or one-time code that it needs (or takes the first\n"
	  "      line of FILE, - is standard input), and follows it to its end, or for S seconds. --yes: where a\n"
	  "      yes is all that it needs. --digest: only when this is what waits. Exit codes as of jarvisctl run.\n",
	  "say yes to an action", command_approve, true },
	{ "audit",
	  "  jarvisctl audit [--limit N] [--before SEQ] [--kind KIND] [--json]\n"
	  "      the newest N (50) records, of those before SEQ\n"
	  "  jarvisctl audit verify [--db FILE] [--public FILE] [--checkpoint FILE]…\n"
	  "      follow the audit chain in FILE (/var/lib/jarvis/safety-gate/safety-gate.db), which may be in use\n"
	  "      or a copy: exit code 0 when it is sound, 1 when a record or checkpoint is not, and which.\n"
	  "      --checkpoint: signed checkpoints kept elsewhere, as notes or as the JSON of the topic\n"
	  "      audit/checkpoint (- is standard input); only they show that the end was cut.\n"
	  "      --public: the gate's public keys (/etc/jarvis/secrets/safety-gate/signing-key.pub).\n",
	  "what was asked, decided and done", command_audit, true },
	{ "backup",
	  "  jarvisctl backup [--from DIR]… TARGET\n"
	  "      saves DIR (/etc/jarvis, /var/lib/jarvis, and what systemd keeps for it in /var/lib/private/jarvis)\n"
	  "      into the new folder TARGET: configuration, keys and\n"
	  "      databases, each as it was at one moment, while the services run; then reads it all again. It holds\n"
	  "      secrets: keep it where only you can read it.\n"
	  "  jarvisctl backup --check TARGET\n"
	  "      is it still what was saved?\n",
	  "configuration, keys and databases", command_backup, false },
	{ "cancel",
	  "  jarvisctl cancel ID\n"
	  "      what has not begun does not begin; what runs is told to stop\n",
	  "take an action back", command_cancel, true },
	{ "config",
	  "  jarvisctl config --print          print jarvis.yaml with every key, its default and "
	  "what it means\n"
	  "  jarvisctl config --check [FILE]   report every error of FILE "
	  "(/etc/jarvis/jarvis.yaml)\n"
	  "  jarvisctl config --json [FILE]    print what FILE means, with all defaults, for "
	  "programs\n",
	  "the configuration file", command_config, false },
	{ "completion",
	  "  jarvisctl completion bash|fish|zsh\n"
	  "      prints what makes the shell complete commands, options, tools and their arguments; for bash:\n"
	  "      . <(jarvisctl completion bash)\n"
	  "  jarvisctl completion words [WORD…]\n"
	  "      what may stand behind these words; the shells ask this\n",
	  "for your shell", command_completion, false },
	{ "deny", "  jarvisctl deny ID\n", "say no to an action", command_deny, true },
	{ "freeze",
	  "  jarvisctl freeze\n"
	  "      nothing but reads is done from now on, whoever asks\n"
	  "  jarvisctl freeze --file [--runtime DIR]\n"
	  "      the same on Jarvis's own host, without gateway and broker: makes DIR/frozen (/run/jarvis), which\n"
	  "      safety gate and executor look at themselves\n",
	  "stop everything but reads", command_freeze, true },
	{ "guests",
	  "  jarvisctl guests [--json] [SEARCH…]\n"
	  "      virtual machines and containers, without templates\n"
	  "      SEARCH is the dashboard's: cpu>80 mem>2G node:pve type:vm tag:prod backup:stale uptime<1d -stopped\n"
	  "      name:web and any text, joined by and; a comma means or. Exit code 1 when nothing is found.\n",
	  "virtual machines and containers", command_guests, true },
	{ "keys",
	  "  jarvisctl keys [--secrets DIR] [--rotate]\n"
	  "      make the safety gate's keys in DIR (/etc/jarvis/secrets): safety-gate/signing-key and\n"
	  "      box-key, and their public halves executor/gate.pub, gateway/gate-box.pub and\n"
	  "      safety-gate/signing-key.pub (all that ever signed, for audit verify). What is there is\n"
	  "      kept; --rotate makes new ones, and the old ones count beside them until the next time.\n",
	  "keys of the safety gate", command_keys, false },
	{ "level",
	  "  jarvisctl level [--json]\n"
	  "      how much Jarvis may do by itself, whether it is frozen, who has enrolled a keyword or codes\n"
	  "  jarvisctl level [--runbook R] [--code-file FILE] N\n"
	  "      0 observe, 1 advise, 2 ask, 3 act and report, 4 guarded autopilot. Raising needs a one-time code.\n",
	  "how much it does by itself", command_level, true },
	{ "login",
	  "  jarvisctl login [--url URL] [--user USER] [--password-file FILE]\n"
	  "      asks for the password (or takes the first line of FILE, - is standard input), and keeps the\n"
	  "      session in ~/.config/jarvis/session.json (0600); later commands go to the same URL\n",
	  "log in at the gateway", command_login, true },
	{ "logout",
	  "  jarvisctl logout\n"
	  "      ends the session, there and here\n",
	  "end the session", command_logout, false },
	{ "man", "  jarvisctl man                     jarvisctl man | man -l -\n",
	  "this as a page of the manual", command_man, false },
	{ "mqtt-user",
	  "  jarvisctl mqtt-user [--secrets DIR] NAME…\n"
	  "      make a random password for each MQTT user, in DIR/NAME/mqtt-password "
	  "(/etc/jarvis/secrets);\n"
	  "      one that is there is kept. Then tell the broker: a line NAME:PASSWORD in its "
	  "password file,\n"
	  "      mosquitto_passwd -U FILE once to hash it, and SIGHUP.\n",
	  "passwords of MQTT users", command_mqtt_user, false },
	{ "nodes",
	  "  jarvisctl nodes [--json] [SEARCH…]\n"
	  "      SEARCH as of jarvisctl guests: cpu>80 temp>70 updates>0 -online\n",
	  "the hosts", command_nodes, true },
	{ "person",
	  "  jarvisctl person enrol [--secrets DIR] [--keyword-file FILE] [--no-keyword] [--no-totp]\n"
	  "                         [--replace] [--yes] NAME\n"
	  "      let NAME, a person of the dashboard, approve: asks for a keyword (or takes the first line\n"
	  "      of FILE, - is standard input), makes a secret for one-time codes, shows it for an\n"
	  "      authenticator app, and asks for one code; --yes does not ask. --replace: the person is\n"
	  "      enrolled anew, and what was enrolled before ceases to count.\n"
	  "  jarvisctl person list [--secrets DIR]\n"
	  "  jarvisctl person remove [--secrets DIR] NAME\n"
	  "      They are in DIR/safety-gate/persons.json (/etc/jarvis/secrets).\n",
	  "who may approve, and by what", command_person, false },
	{ "probe",
	  "  jarvisctl probe http PORT PATH    127.0.0.1:PORT answers a GET of PATH with 200\n"
	  "  jarvisctl probe listening PORT    somebody listens on the TCP port\n"
	  "  jarvisctl probe connected PORT    there is a connection to somebody's TCP port\n"
	  "      of this network namespace; exit code 0 or 1, for healthchecks of containers\n",
	  "is this container well?", command_probe, false },
	{ "restore",
	  "  jarvisctl restore [--below DIR | --root DIR…] [--replace] TARGET\n"
	  "      checks a backup, and puts it back where it was (--below DIR: below another folder). The services\n"
	  "      must have been stopped. --replace: what is there is moved aside, to NAME.before-TIME. --root DIR:\n"
	  "      DIR may be replaced too; else only /etc/jarvis, /var/lib/jarvis and /var/lib/private/jarvis\n",
	  "puts a backup back", command_restore, false },
	{ "run",
	  "  jarvisctl run [--target T]… [--reason TEXT] [--confirmed] [--dry-run] [--wait S]\n"
	  "                [--keyword-file FILE] [--code-file FILE] [--json] TOOL [ARG=VALUE…]\n"
	  "      uses a tool (jarvisctl tools lists them) and stays until it is over, or S seconds. A word without\n"
	  "      = is what the tool acts on: jarvisctl run guest_start 101. Parameters of a command are given as\n"
	  "      params.NAME=VALUE: jarvisctl run run_command pve command_id=folder_usage params.folder=/srv/share,\n"
	  "      or several as params=NAME=VALUE,NAME=VALUE. What needs a keyword or a one-time code\n"
	  "      is shown and asked for at the terminal, or taken from the first line of FILE (- is standard\n"
	  "      input). --target, up to 20 times: several targets of one tool. --confirmed: you know what may be\n"
	  "      lost. --dry-run: does nothing, and says how it would be judged now; 0: it would be done, 3: once it\n"
	  "      is approved, 2: it would be refused. Exit codes: 0 verified, 1 failed or still failing, 2 refused,\n"
	  "      3 it waits for somebody else or goes on, 69 no answer of the gateway, 77 not logged in.\n",
	  "use a tool", command_run, true },
	{ "status",
	  "  jarvisctl status [--json]\n"
	  "      clusters, nodes, what wants a look, what waits for you. Exit code 1 when something wants a look.\n",
	  "everything at a glance", command_status, true },
	{ "storage",
	  "  jarvisctl storage [--json] [SEARCH…]\n"
	  "      SEARCH as of jarvisctl guests: used>80 type:nfs,zfspool node:pve -available\n",
	  "storages, and how full they are", command_storage, true },
	{ "tools",
	  "  jarvisctl tools [--json]           every tool with its tier and what it does\n"
	  "  jarvisctl tools [--json] TOOL      its arguments, and what it asks of you; --json: its schema\n",
	  "what it can do", command_tools, false },
	{ "totp",
	  "  jarvisctl totp --file FILE\n"
	  "      print the present one-time code of the base32 secret in the first line of FILE (- is\n"
	  "      standard input)\n",
	  "a one-time code, for scripts", command_totp, false },
	{ "unfreeze",
	  "  jarvisctl unfreeze [--code-file FILE]\n"
	  "      asks for a one-time code (or takes the first line of FILE, - is standard input)\n",
	  "go on", command_unfreeze, true },
	{ "watch",
	  "  jarvisctl watch [--interval S]\n"
	  "      jarvisctl status, drawn anew every S (2) seconds, until q\n",
	  "the same, as it goes on", command_watch, true },
	{ 0 },
};

const char command_codes[] =
	"exit codes: 0 done, 1 failed, 2 refused, 3 it waits for somebody else, 64 wrong arguments,\n"
	"            66 a file cannot be read, 69 no answer of the gateway, 77 not logged in,\n"
	"            78 the configuration has errors\n";

const struct command *command_find(const char *name)
{
	for (const struct command *c = command_table; c->name; c++) {
		if (str_eq(c->name, name))
			return c;
	}
	return NULL;
}
