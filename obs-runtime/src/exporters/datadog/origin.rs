//! Detects the container of this process, by which the agent adds the container's tags (origin detection).
//!
//! The container's id from `/proc`, or the inode of the cgroup if a cgroup namespace hides the id.

use std::path::{Path, PathBuf};

use crate::base::text;

/// The inode of the host's cgroup namespace.
#[cfg(target_os = "linux")]
const HOST_NAMESPACE: u64 = 0xEFFF_FFFB;

/// The container of this process in the format of DogStatsD's field `c:`; `None` outside of a container.
pub fn container() -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cgroup = read("/proc/self/cgroup");
    let mounted = read("/proc/self/mountinfo");
    if let Some(id) = id_in_cgroup(&cgroup).or_else(|| id_in_mounts(&mounted)) {
        return Some(format!("ci-{id}"));
    }
    inode(&cgroup_folder(&cgroup, &read("/proc/mounts"))?)
}

/// The container's id in the last part of a cgroup's path.
fn id_in_cgroup(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        let last = path.rsplit('/').next()?;
        let last = last.strip_suffix(".scope").unwrap_or(last);
        // `docker-<id>`, `cri-containerd-<id>`: the id comes last and may contain dashes.
        let starts = std::iter::once(0).chain(last.match_indices(['-', ':']).map(|(index, _)| index + 1));
        starts.map(|start| text::from(last, start)).find(|id| is_id(id))
    })
}

/// The container's id in the source folder of its mounted `hostname`. A pod's sandbox has another id.
fn id_in_mounts(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let path = line.split(' ').nth(3)?;
        let parts: Vec<_> = path.split('/').collect();
        let at = parts.iter().rposition(|part| is_id(part))?;
        let is_its_own =
            at > 0 && parts[at - 1] != "sandboxes" && parts.last().is_some_and(|last| last.ends_with("hostname"));
        is_its_own.then(|| parts[at])
    })
}

/// Whether a text is a container's id: 64 hexadecimal digits, an ECS task's (32 digits, a dash and a number), or a UUID.
fn is_id(text: &str) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if text.len() == 64 {
        return hexadecimal(text);
    }
    if let Some((task, number)) = text.split_once('-').filter(|(task, _)| task.len() == 32) {
        return hexadecimal(task) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let parts: Vec<_> = text.split(['-', '_']).collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| hexadecimal(part))
}

/// The folder of this process' cgroup v2.
fn cgroup_folder(cgroup: &str, mounts: &str) -> Option<PathBuf> {
    let node = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.lines().find_map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        fields.get(2).is_some_and(|kind| *kind == "cgroup2").then(|| fields[1])
    })?;
    Some(Path::new(mount).join(node.trim_start_matches('/')))
}

#[cfg(target_os = "linux")]
fn inode(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let number = |path: &Path| std::fs::metadata(path).ok().map(|found| found.ino());
    if number(Path::new("/proc/self/ns/cgroup"))? == HOST_NAMESPACE {
        return None;
    }
    number(folder).map(|inode| format!("in-{inode}"))
}

#[cfg(not(target_os = "linux"))]
fn inode(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376";

    #[test]
    fn a_containers_id_is_read_from_its_cgroup() {
        for (line, id) in [
            (format!("4:memory:/docker/{ID}"), ID),
            (format!("0::/system.slice/docker-{ID}.scope"), ID),
            (format!("1:name=systemd:/kubepods.slice/pod1/cri-containerd-{ID}.scope"), ID),
            (format!("1:cpu:/k8s/cri-containerd:{ID}"), ID),
            ("1:cpu:/garden/34dc0b5e-626f-2c5c-4c51-70e34b10e765".to_owned(), "34dc0b5e-626f-2c5c-4c51-70e34b10e765"),
            (
                "1:cpu:/ecs/task/34dc0b5e626f2c5c4c5170e34b10e765-1234567890".to_owned(),
                "34dc0b5e626f2c5c4c5170e34b10e765-1234567890",
            ),
        ] {
            assert_eq!(id_in_cgroup(&format!("9:x:/\n{line}\n")), Some(id), "{line}");
        }
        for line in
            ["0::/", "4:memory:/user.slice/session-3.scope", "4:memory:/a/bfb306f88f7d459502f7d32ba0157ca8", "x", ""]
        {
            assert_eq!(id_in_cgroup(line), None, "{line}");
        }
    }

    #[test]
    fn a_containers_id_is_read_from_its_mounts() {
        let mount =
            |path: &str| format!("22 27 0:21 / /proc rw\n608 554 254:1 {path} /etc/hostname rw - ext4 /dev/vda1 rw");
        assert_eq!(id_in_mounts(&mount(&format!("/var/lib/docker/containers/{ID}/hostname"))), Some(ID));
        assert_eq!(id_in_mounts(&mount(&format!("/run/containerd/sandboxes/{ID}/hostname"))), None);
        assert_eq!(id_in_mounts(&mount("/etc/hostname")), None);
    }

    #[test]
    fn the_cgroups_folder_is_below_its_mount() {
        let mounts = "proc /proc proc rw\ncgroup2 /sys/fs/cgroup cgroup2 rw\n";
        assert_eq!(cgroup_folder("0::/a/b\n", mounts), Some("/sys/fs/cgroup/a/b".into()));
        assert_eq!(cgroup_folder("0::/\n", mounts), Some("/sys/fs/cgroup".into()));
        assert_eq!((cgroup_folder("1:cpu:/a", mounts), cgroup_folder("0::/", "")), (None, None));
    }
}
