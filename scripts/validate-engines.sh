#!/usr/bin/env bash
# Runs the examples of docs/shards.md with the engines' own tools, as far as they are installed:
#
#   Slurm       a cluster of one node on this machine (slurmctld, slurmd, munged; needs root), to which the two
#               scripts of docs/examples/slurm are submitted as they are;
#   Kubernetes  kubernetes-validate (PyPI) holds the manifests against the schemas of its own versions, and
#               podman runs their containers as they say: user, read-only root, no network, volumes.
#               Not a cluster: that indices are handed out and failures counted as the manifest says is not seen.
#
# Each time the merged report must be that of one run. Says what it skipped; ends with 0 only if everything that
# it ran was right. On Debian: slurmctld slurmd slurm-client munge podman python3-yaml. Not part of .ci/run.
#
#   scripts/validate-engines.sh
set -euo pipefail
cd "$(dirname "$0")/.."
examples=$PWD/docs/examples
. scripts/build-common.sh
program=${SEALIFT:-$(built --quiet --no-default-features --bin sealift)}
work=$(mktemp -d)
chmod 755 "$work"
daemons=()
finish() {
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "validate-engines: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
skipped=()
has python3 || fail "python3 is not installed"

# A release of several folders, with an image that was tampered with in each.
mkdir -p "$work/volume/1.0" "$work/trust/..1"
for folder in a b c d/e; do
  mkdir -p "$work/volume/1.0/$folder"
  cp examples/release/{hello-image,tampered-image}.tar examples/release/tools-1.0.tar.gz \
    examples/release/*.bundle examples/release/*_publickey.json "$work/volume/1.0/$folder"
done
# As a ConfigMap is mounted: links to a folder of this version.
cp examples/keys/{vendor.pub,trusted_root.json} "$work/trust/..1"
ln -s ..1 "$work/trust/..data"
ln -s ..data/vendor.pub ..data/trusted_root.json "$work/trust"
chmod -R a+rX "$work/volume" "$work/trust"
release=$work/volume/1.0
trust=(--key "$work/trust/vendor.pub" --trusted-root "$work/trust/trusted_root.json")

# Whether a merged report is that of one run: MERGED WHOLE.
same() {
  python3 - "$@" <<'PYTHON'
import json, sys

def report(path):
    report = json.load(open(path))
    for member in ("time", "finished", "merged"):
        report.pop(member, None)
    report["summary"].pop("milliseconds")
    return report

merged, whole = report(sys.argv[1]), report(sys.argv[2])
assert len(whole["artifacts"]) >= 12, "too little was judged"
if merged != whole:
    members = sorted(m for m in merged.keys() | whole.keys() if merged.get(m) != whole.get(m))
    sys.exit(f"the merged report is another one: {members}")
PYTHON
}

slurm() {
  local name status=0 job state
  name=$(hostname -s)
  mkdir "$work/state" "$work/spool" "$work/munge"
  dd if=/dev/urandom of="$work/munge/key" bs=128 count=1 2>/dev/null
  chmod 600 "$work/munge/key"
  cat >"$work/slurm.conf" <<CONF
ClusterName=sealift
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
NodeName=$name NodeAddr=127.0.0.1 CPUs=4 RealMemory=1024 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$work/slurm.conf SEALIFT=$program
  /usr/sbin/munged --foreground --force --socket="$work/munge/socket" --key-file="$work/munge/key" \
    --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" >"$work/munged.log" 2>&1 &
  daemons+=($!)
  for _ in $(seq 50); do [ -S "$work/munge/socket" ] && break; sleep 0.1; done
  /usr/sbin/slurmctld -D >"$work/slurmctld.log" 2>&1 &
  daemons+=($!)
  /usr/sbin/slurmd -D >"$work/slurmd.log" 2>&1 &
  daemons+=($!)
  for _ in $(seq 150); do
    state=$(sinfo --noheader --format=%t 2>/dev/null || true)
    [ "$state" != idle ] || break
    sleep 0.2
  done
  if [ "$state" != idle ]; then
    tail -n 5 "$work"/*.log >&2
    fail "the Slurm cluster did not start"
  fi
  "$program" verify -q "${trust[@]}" -o json "$release" >"$work/one.json" || status=$?
  [ "$status" = 1 ] || fail "one run: exit code $status"
  # As it stands, and with numbers that are not 1, 2, 3.
  for array in "" --array=4-10:3%2; do
    job=$(sbatch --parsable ${array:+"$array"} --output="$work/part-%a.log" \
      "$examples/slurm/verify.sbatch" "$release" "$work/reports" "${trust[@]}")
    status=0
    timeout 180 sbatch --quiet --wait --dependency="afterany:$job" --output="$work/merge.log" \
      "$examples/slurm/merge.sbatch" "$work/reports/$job" || status=$?
    [ "$status" = 1 ] || { cat "$work"/part-*.log "$work/merge.log" >&2; fail "Slurm: merge: exit code $status"; }
    same "$work/reports/$job/whole.json" "$work/one.json"
    echo "Slurm: $(find "$work/reports/$job" -name 'part-*.json' | wc -l) parts ${array:-as the script says}: the report of one run"
  done
  # Gaps must be refused: tasks that would leave parts out write no report.
  job=$(sbatch --parsable --wait --array=1,3,7 --output="$work/gaps-%a.log" \
    "$examples/slurm/verify.sbatch" "$release" "$work/reports" "${trust[@]}") && fail "Slurm: gaps were accepted"
  [ -z "$(find "$work/reports/${job%%;*}" -name '*.json')" ] || fail "Slurm: gaps: reports were written"
  grep -q 'the array has gaps' "$work/gaps-3.log" || { cat "$work"/gaps-*.log >&2; fail "Slurm: gaps"; }
  echo "Slurm: an array with gaps: refused"
}

if ! has slurmctld || ! has slurmd || ! has munged || ! has sbatch; then
  skipped+=("Slurm: not installed")
elif [ "$(id -u)" -ne 0 ]; then
  skipped+=("Slurm: needs root")
else
  /usr/sbin/slurmctld -V
  slurm
fi

manifests=("$examples"/kubernetes/verify-job.yaml "$examples"/kubernetes/merge-job.yaml)
if has kubernetes-validate; then
  for version in 1.29 ""; do
    kubernetes-validate --strict ${version:+-k "$version"} "${manifests[@]}"
  done
else
  skipped+=("Kubernetes schemas: kubernetes-validate is not installed (PyPI)")
fi

# The command lines of podman that stand for the container of a Job: MANIFEST INDEX.
container() {
  python3 - "$1" "$2" "$work" <<'PYTHON'
import shlex, sys, yaml

manifest, index, work = sys.argv[1:]
job = next(it for it in yaml.safe_load_all(open(manifest)) if it["kind"] == "Job")
pod = job["spec"]["template"]["spec"]
[container] = pod["containers"]
secure = container["securityContext"]
assert pod["securityContext"]["runAsNonRoot"] and not secure["allowPrivilegeEscalation"]
words = ["podman", "run", "--rm", "--network=none", "--security-opt=no-new-privileges"]
# Where limits can't be raised podman's own don't hold.
words += ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]
user = pod["securityContext"]
words += [f"--user={user['runAsUser']}:{user['runAsGroup']}"]
words += [f"--cap-drop={it}" for it in secure["capabilities"]["drop"]]
words += ["--read-only", "--read-only-tmpfs=false"] if secure["readOnlyRootFilesystem"] else []
words += [f"--env=JOB_COMPLETION_INDEX={index}"]
folders = {"release": "volume", "trust": "trust", "reports": "pods"}
for mount in container["volumeMounts"]:
    below = "/" + mount["subPath"] if "subPath" in mount else ""
    mode = ":ro" if mount.get("readOnly") else ""
    words += [f"--volume={work}/{folders[mount['name']]}{below}:{mount['mountPath']}{mode}"]
words += [f"--entrypoint={container['command'][0]}", container["image"]]
words += [it.replace("$(JOB_COMPLETION_INDEX)", index) for it in container["args"]]
print(shlex.join(words))
PYTHON
}

podman_image() {
  local library
  mkdir -p "$work/root"
  cp "$program" "$work/root/sealift"
  for library in $(ldd "$program" | grep -o '/[^ ]*'); do cp --parents -L "$library" "$work/root"; done
  tar -C "$work/root" -c . | podman import -q - registry.example/sealift:airgap >/dev/null
}

pods() {
  local index status
  mkdir -p "$work/pods/release-1.0"
  chmod 777 "$work/pods/release-1.0"
  for index in 0 1 2 3; do
    status=0
    eval "$(container "${manifests[0]}" "$index")" >"$work/pod-$index.log" 2>&1 || status=$?
    case $status in 0 | 1 | 3) ;; *) cat "$work/pod-$index.log" >&2; fail "the container of part $index: exit code $status" ;; esac
  done
  status=0
  eval "$(container "${manifests[1]}" 0)" >"$work/pod-merge.log" 2>&1 || status=$?
  [ "$status" = 1 ] || { cat "$work/pod-merge.log" >&2; fail "the container of the merge: exit code $status"; }
  # One run by the same container, because reports hold paths as they were given.
  status=0
  eval "$(container "${manifests[0]}" 0 | sed 's|--shard=auto/4||; s|part-0\.json|one.json|')" >/dev/null || status=$?
  [ "$status" = 1 ] || fail "the container without parts: exit code $status"
  same "$work/pods/release-1.0/whole.json" "$work/pods/release-1.0/one.json"
  echo "Kubernetes: the containers of 4 parts and the merge, by podman: the report of one run"
}

if ! has podman || ! python3 -c 'import yaml' 2>/dev/null; then
  skipped+=("Kubernetes containers: podman or PyYAML is not installed")
elif ! podman_image 2>"$work/podman.log"; then
  skipped+=("Kubernetes containers: podman does not work here: $(tail -n 1 "$work/podman.log")")
else
  podman --version
  pods
  podman rmi -f registry.example/sealift:airgap >/dev/null
fi

for item in "${skipped[@]}"; do echo "skipped: $item"; done
[ ${#skipped[@]} -lt 3 ] || fail "nothing could be run"
