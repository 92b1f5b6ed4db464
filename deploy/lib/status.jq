# Compares image, mount and running processes. Inputs: $image, $mount (folder_state), $running (the supervisor's state).
($running[0].programs) as $processes
| ([($image.programs // {}), ($mount.programs // {}), $processes] | map(keys[]) | unique) as $names
| [$names[] as $name
   | ($image.programs // {})[$name] as $in_image | ($mount.programs // {})[$name] as $in_mount | $processes[$name] as $process
   | {key: $name, value: {
        image: $in_image, mount: $in_mount,
        running: (if $process.pid == null then null else
            {pid: $process.pid, build_id: $process.build_id, sha256: $process.running_sha256,
             library_sha256: $process.running_library_sha256, since: $process.since} end),
        state: ($process.state // "down"), last_failure: $process.last_failure,
        differences: [
            (if $image == null then empty
             elif $in_image.sha256 != $in_mount.sha256 then "the mount holds another file than the image" else empty end),
            (if $process.pid == null then "no process serves"
             elif $process.running_sha256 != $in_mount.sha256 then "the process runs another file than the mount holds"
             elif $process.running_library_sha256 != $mount.library_sha256 then "the process runs another library than the mount holds"
             else empty end)]}}]
| from_entries as $programs
| ([$programs | to_entries[] | .key as $name | .value.differences[] | "\($name): \(.)"]
   + (if $image != null and $image.library_sha256 != $mount.library_sha256
      then ["library: the mount holds another file than the image"] else [] end)
   + (if ($programs | length) == 0 then ["nothing is in the mount"] else [] end)) as $differences
| {same: ($differences == []), image: $image_dir, mount: $mount_dir,
   library: {image: $image.library_sha256, mount: $mount.library_sha256},
   programs: $programs, differences: $differences}
