/** What to do about a file that the operating system does not let be read, in a sentence. */
export function hintForReading(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT" || code === "ENOTDIR") return "Check the path.";
  if (code === "EACCES" || code === "EPERM")
    return "Give your account the right to read it, or copy it where it has that.";
  if (code === "EISDIR") return "It is a folder: give a file.";
  if (code === "ENAMETOOLONG" || code === "ELOOP")
    return "Check the path: its name is too long, or links go in circles.";
  if (code === "EMFILE" || code === "ENFILE")
    return "Too many files are open: close other programs, or raise ulimit -n.";
  return "Look whether its disk is in order, copy the file anew, and try again.";
}
