import { isSameOrInside, type OperatingSystem, placesOf } from "./mount-path.ts";

/**
 * `trees`: forbidden paths, including everything inside. `exact`: forbidden paths that allow a mount inside, unless another rule forbids
 * it.
 */
interface SystemPaths {
  readonly trees: readonly string[];
  readonly exact: readonly string[];
}

/** The device files and links of runc, and the kernel's file systems in which nothing can be created. */
const DEVICES = "null zero full random urandom tty console ptmx pts mqueue fd stdin stdout stderr core termination-log"
  .split(" ")
  .map((name) => `/dev/${name}`);

/**
 * Paths that the kubelet, the runtime or the system uses, so that a container with a mount there does not start. In the form of
 * {@link placesOf}. The kubelet uses `/etc/hosts` and the termination message. The runtime uses the rest of `/etc`, `/dev`, `/proc` and
 * `/sys`. CRI-O also creates files in `/run`, to which `/var/run` is a link. Also, a directory cannot be mounted over a path that is a file
 * in every image.
 */
export const FORBIDDEN_PATHS: Readonly<Record<OperatingSystem, SystemPaths>> = {
  linux: {
    trees: ["/proc", "/sys", ...DEVICES, ...["hosts", "hostname", "resolv.conf", "mtab", "passwd", "group"].map((name) => `/etc/${name}`)],
    exact: ["/dev", "/dev/shm", "/etc", "/run"],
  },
  windows: { trees: ["c:/windows"], exact: [] },
};

/** A mount here hides files of the image; the container may work without them. */
const HIDING: Readonly<Record<OperatingSystem, readonly string[]>> = {
  linux: (
    "/bin /sbin /lib /lib32 /lib64 /usr /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/local /usr/local/bin /usr/local/lib " +
    "/var /tmp /etc/ssl /etc/ssl/certs /etc/pki"
  ).split(" "),
  windows: ["c:/program files", "c:/program files (x86)", "c:/programdata", "c:/users"],
};

/**
 * Paths at or around the token of the ServiceAccount, and around mounts that other webhooks add beside it. A pod with a token cannot have a
 * mount here, but a pod without one can, and a template does not show whether its pods get a token.
 */
const AROUND_TOKENS: Readonly<Record<OperatingSystem, readonly string[]>> = {
  linux: ["", "/kubernetes.io", "/kubernetes.io/serviceaccount"].map((rest) => `/run/secrets${rest}`),
  windows: ["", "/kubernetes.io", "/kubernetes.io/serviceaccount"].map((rest) => `c:/var/run/secrets${rest}`),
};

export function isSystemPath(path: string, system: OperatingSystem): boolean {
  const { trees, exact } = FORBIDDEN_PATHS[system];
  return placesOf(path, system).some((place) => exact.includes(place) || trees.some((tree) => isSameOrInside(place, tree)));
}

/** Returns why a mount at that path may keep a container from working, for paths that are not forbidden. */
export function riskOf(path: string, system: OperatingSystem): "pathOfTokens" | "pathOfImage" | undefined {
  const places = placesOf(path, system);
  if (places.some((place) => AROUND_TOKENS[system].includes(place))) return "pathOfTokens";
  return places.some((place) => HIDING[system].includes(place)) ? "pathOfImage" : undefined;
}
