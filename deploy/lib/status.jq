# Compares image, mount and what runs. Inputs: $image, $mount (folder_state), $running (the supervisor's state);
# $pages_image, $pages_mount (pages_state), $pages_sent (what nginx answers with) of the dashboard.

# handler: one program as image, mount and process have it.
def handler($in_image; $in_mount; $process):
    {image: $in_image, mount: $in_mount,
     running: (if $process.pid == null then null else
         {pid: $process.pid, build_id: $process.build_id, sha256: $process.running_sha256,
          library_sha256: $process.running_library_sha256, since: $process.since} end),
     state: ($process.state // "down"), last_failure: $process.last_failure,
     differences: [
         (if $image == null then empty
          elif $in_image == null and $in_mount == null then "it runs, though neither image nor mount has it"
          elif $in_mount == null then "the image has it, the mount has not"
          elif $in_image == null then "the mount has it, the image has not"
          elif $in_image.sha256 != $in_mount.sha256 then "the mount holds another file than the image" else empty end),
         (if $process.pid == null then "no process serves"
          elif $process.running_sha256 != $in_mount.sha256 then "the process runs another file than the mount holds"
          elif $process.running_library_sha256 != $mount.library_sha256 then "the process runs another library than the mount holds"
          else empty end)]};

# A build's assets have a hash in their names: those of older builds may stay in the mount.
def is_asset: startswith("assets/");

# page_differences: of each file of the dashboard, in words.
def page_differences:
    [(($pages_image // {}) + ($pages_mount // {})) | keys[] as $file
     | ($pages_image // {})[$file] as $in_image | ($pages_mount // {})[$file] as $in_mount | ($pages_sent // {})[$file] as $sent
     | (if $pages_image == null or $in_image == $in_mount then empty
        elif $in_mount == null then "\($file): the image has it, the mount has not"
        elif $in_image == null then (if $file | is_asset then empty else "\($file): the mount has it, the image has not" end)
        else "\($file): the mount holds another file than the image" end),
       (if ($pages_sent // null) == null or $in_mount == null or $in_mount == $sent then empty
        elif $sent == null then "\($file): nginx does not send it"
        else "\($file): nginx sends another file than the mount holds" end)]
    + (if $pages_mount == null then ["the mount is not there"]
       elif $pages_mount["index.html"] == null then ["the mount holds no index.html"] else [] end)
    + (if $pages_sent == false then ["nginx does not answer"] else [] end)
    + (if $running[0].pages.why == null then [] else ["the mount is not sent as it is: \($running[0].pages.why)"] end);

($running[0].programs) as $processes
| ([($image.programs // {}), ($mount.programs // {}), $processes] | map(keys[]) | unique) as $names
| ([$names[] as $name
    | {key: $name, value: handler(($image.programs // {})[$name]; ($mount.programs // {})[$name]; $processes[$name])}]
   | from_entries) as $programs
| {image_dir: $pages_image_dir, mount_dir: $pages_mount_dir, image: $pages_image["index.html"], mount: $pages_mount["index.html"],
   running: ($pages_sent // {})["index.html"], state: ($running[0].pages.state // null), differences: page_differences} as $dashboard
| ([$programs | to_entries[] | .key as $name | .value.differences[] | "\($name): \(.)"]
   + (if $image != null and $image.library_sha256 != $mount.library_sha256
      then ["library: the mount holds another file than the image"] else [] end)
   + (if ($programs | length) == 0 then ["nothing is in the mount"] else [] end)
   + [$dashboard.differences[] | "dashboard: \(.)"]) as $differences
| {same: ($differences == []), image: $image_dir, mount: $mount_dir,
   library: {image: $image.library_sha256, mount: $mount.library_sha256},
   programs: $programs, dashboard: $dashboard, differences: $differences}
