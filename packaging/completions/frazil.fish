# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_frazil_global_optspecs
    string join \n json q/quiet h/help V/version
end

function __fish_frazil_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_frazil_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_frazil_using_subcommand
    set -l cmd (__fish_frazil_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c frazil -n "__fish_frazil_needs_command" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_needs_command" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_needs_command" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_needs_command" -s V -l version -d 'Print version'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "backup" -d 'Back up a tree of files: everything, or what changed since the level whose snapshot is given'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "restore" -d 'Restore a tree of files from its levels, in order'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "list" -d 'List what the archive of a level says of each entry'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "verify" -d 'Verify archives, or a tree against them'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "signature" -d 'Write the signature of a file: all that is needed to make the next level'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "delta" -d 'Write the delta that turns what a signature was made of into a file'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "level" -d 'Write a level: everything, or what changed since the level whose signature is given'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "patch" -d 'Apply deltas in order: restore a file from its levels'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "compare" -d 'Say which ranges of the new content are the same, moved or changed'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "show" -d 'Say what a signature, delta, level, snapshot or archive is, and whether it is whole'
complete -c frazil -n "__fish_frazil_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l since -d 'The snapshot of the level before; without it this is level 0' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l snapshot -d 'Where the new snapshot goes, which the next level needs' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l filter -d 'Compress the archive' -r -f -a "none\t''
gzip\t''
bzip2\t''
xz\t''
zstd\t''
lz4\t''"
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l block-size -d 'Bytes in a block (4096, 64K, …); level 0 decides for the whole chain [default: 65536]' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l matching -d 'Which matches are looked for in files that changed' -r -f -a "auto\t'Blocks in their place, and a scan of the runs that changed'
aligned\t'Blocks in their place alone, in constant memory: for disk images and databases'
rolling\t'A scan of everything that does not match in its place'"
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l memory -d 'Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of address space for the process and the buffers of streams [default: 1GiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l link-memory -d 'Hold at most SIZE bytes of files of which not all names were met yet; beyond it, hard links become files of their own, and are named [default: 32MiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l exclude -d 'Leave out what matches a pattern; !PATTERN takes it back' -r
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l exclude-from -d 'Take the patterns in FILE, one a line' -r -F
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l exclude-marked -d 'Leave out what is in directories that hold a file of this name' -r -F
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l force -d 'Replace an output that is there already'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l exclude-caches -d 'Leave out what is in directories that a CACHEDIR.TAG marks'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l nodump -d 'Leave out what has the nodump flag'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l one-file-system -d 'Stay on the file system of the root'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l dereference -d 'Back up what symbolic links lead to in their place'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l always-read -d 'Read every file, whatever its metadata says'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l ignore-ctime -d 'Take a file for unchanged although its change time is another'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l ignore-inode -d 'Take a file for unchanged although its inode is another'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l compare-device -d 'Read a file again whose device is another'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l trust-holes -d 'Do not read the holes that the file system tells of'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l assume-parent -d 'The level that DEST stands at, where it does not say so itself' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l map-user -d 'Give what belongs to the user FROM to the user TO, both by number' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l map-group -d 'Give what belongs to the group FROM to the group TO, both by number' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l path -d 'Restore this path and what is below it alone; may be given several times' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l strip -d 'Leave out the first N names of each path; what is left has to come from one directory' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l prefix -d 'Put everything below PATH in DEST' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l sync -d 'When to flush what was restored to the disk' -r -f -a "level\t'The whole level, twice'
file\t'Each file by itself too'"
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l max-file -d 'The most bytes that one file may have [default: 1TiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l max-output -d 'The most bytes that all files of one level may have [default: no limit]' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l overwrite -l force -d 'Replace what is in the way; DEST need not be empty'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l more -d 'More levels will come: keep note in DEST of the level that it stands at'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l conclude -d 'No more levels will come: remove that note, also after a level that was restored in part'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l accept-partial -d 'Go on from a level that was restored in part, and leave out what its gaps are in the way of'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l keep-going -d 'Restore what is whole of a damaged archive, and what can be where DEST is not as the level before was'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l privileged -d 'As root, restore devices, set-id bits and attributes of the system too'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l numeric-owner -d 'As root, restore owners by number rather than by name'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l dry-run -d 'Read and verify everything, list what would be restored, and change nothing'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l verify-parent -d 'Read what is replaced, deleted or given other metadata, and refuse it unless it is as the level before had it'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c frazil -n "__fish_frazil_using_subcommand list" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand list" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand list" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l tree -d 'Hold this tree against the levels' -r -F
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l exclude -d 'Leave out what matches a pattern; !PATTERN takes it back' -r
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l exclude-from -d 'Take the patterns in FILE, one a line' -r -F
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l exclude-marked -d 'Leave out what is in directories that hold a file of this name' -r -F
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l exclude-caches -d 'Leave out what is in directories that a CACHEDIR.TAG marks'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l nodump -d 'Leave out what has the nodump flag'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l one-file-system -d 'Stay on the file system of the root'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l dereference -d 'Hold what symbolic links lead to against the levels, as a backup with this option has it in their place'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand verify" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l block-size -d 'Bytes in a block (4096, 64K, …)' -r
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l hash -d 'The strong sum' -r -f -a "blake2\t''
md4\t'Broken; for exchange with old peers only'"
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l weak -d 'The rolling sum' -r -f -a "rabinkarp\t''
rollsum\t''"
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l strong-len -d 'Bytes kept of each strong sum; by default all' -r
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l format -d 'The form of the signature' -r -f -a "sealed\t'frazil\'s: every byte checked, basis and result identified'
rdiff\t'librsync\'s, without any check, for rdiff'"
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l memory -d 'Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of address space for the process and the buffers of streams [default: 1GiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l engine -d 'Who computes sums and finds matches' -r -f -a "native\t'frazil\'s own'
librsync\t'The C library'"
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l trust-holes -d 'Do not read the holes that the file system tells of'
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l force -d 'Replace an output that is there already'
complete -c frazil -n "__fish_frazil_using_subcommand signature" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand signature" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand signature" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l signature-out -d 'Write the new full signature, which the next level needs' -r
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l format -d 'The form of what is written' -r -f -a "sealed\t'frazil\'s: every byte checked, basis and result identified'
rdiff\t'librsync\'s, without any check, for rdiff'"
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l matching -d 'Which matches are looked for' -r -f -a "auto\t'Blocks in their place, and a scan of the runs that changed'
aligned\t'Blocks in their place alone, in constant memory: for disk images and databases'
rolling\t'A scan of everything that does not match in its place'"
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l memory -d 'Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of address space for the process and the buffers of streams [default: 1GiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l engine -d 'Who computes sums and finds matches' -r -f -a "native\t'frazil\'s own'
librsync\t'The C library'"
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l allow-weak -d 'Match on MD4 or shortened sums too, on which a false match can be crafted; the stream then says so'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l trust-holes -d 'Do not read the holes that the file system tells of'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l force -d 'Replace an output that is there already'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand delta" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c frazil -n "__fish_frazil_using_subcommand level" -l against -d 'The signature of the level before; without it this is level 0' -r
complete -c frazil -n "__fish_frazil_using_subcommand level" -l block-size -d 'Bytes in a block of the new signature (4096, 64K, …) [default: as in SIG, or 65536]' -r
complete -c frazil -n "__fish_frazil_using_subcommand level" -l signature-out -d 'Write the new full signature, which the next level needs' -r
complete -c frazil -n "__fish_frazil_using_subcommand level" -l format -d 'The form of what is written' -r -f -a "sealed\t'frazil\'s: every byte checked, basis and result identified'
rdiff\t'librsync\'s, without any check, for rdiff'"
complete -c frazil -n "__fish_frazil_using_subcommand level" -l matching -d 'Which matches are looked for' -r -f -a "auto\t'Blocks in their place, and a scan of the runs that changed'
aligned\t'Blocks in their place alone, in constant memory: for disk images and databases'
rolling\t'A scan of everything that does not match in its place'"
complete -c frazil -n "__fish_frazil_using_subcommand level" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand level" -l memory -d 'Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of address space for the process and the buffers of streams [default: 1GiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand level" -l engine -d 'Who computes sums and finds matches' -r -f -a "native\t'frazil\'s own'
librsync\t'The C library'"
complete -c frazil -n "__fish_frazil_using_subcommand level" -l allow-weak -d 'Match on MD4 or shortened sums too, on which a false match can be crafted; the stream then says so'
complete -c frazil -n "__fish_frazil_using_subcommand level" -l trust-holes -d 'Do not read the holes that the file system tells of'
complete -c frazil -n "__fish_frazil_using_subcommand level" -l force -d 'Replace an output that is there already'
complete -c frazil -n "__fish_frazil_using_subcommand level" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand level" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand level" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c frazil -n "__fish_frazil_using_subcommand patch" -l max-output -d 'Write at most SIZE bytes [default: 1TiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand patch" -l memory -d 'Hold at most SIZE bytes of the index of several deltas; in less, more is read twice [default: 8MiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand patch" -l threads -d 'Compute on N threads; by default on as many as there are processors' -r
complete -c frazil -n "__fish_frazil_using_subcommand patch" -l force -d 'Replace an output that is there already'
complete -c frazil -n "__fish_frazil_using_subcommand patch" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand patch" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand patch" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_using_subcommand compare" -l memory -d 'Take at most SIZE bytes for signatures, indexes and what is summed at once (64M, 1GiB, …), beside some 80 MiB of address space for the process and the buffers of streams [default: 1GiB]' -r
complete -c frazil -n "__fish_frazil_using_subcommand compare" -l data -d 'NEW is not a signature but the content itself'
complete -c frazil -n "__fish_frazil_using_subcommand compare" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand compare" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand compare" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_using_subcommand show" -l json -d 'Say what was done as JSON, on standard output, or on standard error when that carries data; where there is a line for each entry, the summary is the last'
complete -c frazil -n "__fish_frazil_using_subcommand show" -s q -l quiet -d 'Show neither progress nor a summary'
complete -c frazil -n "__fish_frazil_using_subcommand show" -s h -l help -d 'Print help'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "backup" -d 'Back up a tree of files: everything, or what changed since the level whose snapshot is given'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "restore" -d 'Restore a tree of files from its levels, in order'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "list" -d 'List what the archive of a level says of each entry'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "verify" -d 'Verify archives, or a tree against them'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "signature" -d 'Write the signature of a file: all that is needed to make the next level'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "delta" -d 'Write the delta that turns what a signature was made of into a file'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "level" -d 'Write a level: everything, or what changed since the level whose signature is given'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "patch" -d 'Apply deltas in order: restore a file from its levels'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "compare" -d 'Say which ranges of the new content are the same, moved or changed'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "show" -d 'Say what a signature, delta, level, snapshot or archive is, and whether it is whole'
complete -c frazil -n "__fish_frazil_using_subcommand help; and not __fish_seen_subcommand_from backup restore list verify signature delta level patch compare show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
