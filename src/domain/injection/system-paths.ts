import { isSameOrInside, type OperatingSystem, placesOf } from "./mount-path.ts";

/** `trees`: at none of them and nowhere inside. `exact`: not at it, and inside where nothing else forbids it. */
interface SystemPaths {
  readonly trees: readonly string[];
  readonly exact: readonly string[];
}

/** The device files and links of runc, and the file systems of the kernel that nothing can be made in. */
const DEVICES = "null zero full random urandom tty console ptmx pts mqueue fd stdin stdout stderr core termination-log"
  .split(" ")
  .map((name) => `/dev/${name}`);

/**
 * Where kubelet, runtime or system have something of their own, so that a container with a mount there does not start. As
 * {@link placesOf} writes paths.
 *
 * - kubelet: `/etc/hosts` and the termination message
 * - runtime: the rest of `/etc`, `/dev`, `/proc`, `/sys`; CRI-O also makes files in `/run`, which `/var/run` is a link to
 * - a folder cannot be mounted over what is a file in every image
 */
export const FORBIDDEN_PATHS: Readonly<Record<OperatingSystem, SystemPaths>> = {
  linux: {
    trees: ["/proc", "/sys", ...DEVICES, ...["hosts", "hostname", "resolv.conf", "mtab", "passwd", "group"].map((name) => `/etc/${name}`)],
    exact: ["/dev", "/dev/shm", "/etc", "/run"],
  },
  windows: { trees: ["c:/windows"], exact: [] },
};

/** What the image has there is hidden, and the container may live without it. */
const HIDING: Readonly<Record<OperatingSystem, readonly string[]>> = {
  linux: (
    "/bin /sbin /lib /lib32 /lib64 /usr /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/local /usr/local/bin /usr/local/lib " +
    "/var /tmp /etc/ssl /etc/ssl/certs /etc/pki"
  ).split(" "),
  windows: ["c:/program files", "c:/program files (x86)", "c:/programdata", "c:/users"],
};

/**
 * At or around the token of the account, and what other webhooks mount beside it. A pod that has a token is refused for it; one without
 * may have its secrets there, and a template does not say whether its pods get one.
 */
const AROUND_TOKENS: Readonly<Record<OperatingSystem, readonly string[]>> = {
  linux: ["", "/kubernetes.io", "/kubernetes.io/serviceaccount"].map((rest) => `/run/secrets${rest}`),
  windows: ["", "/kubernetes.io", "/kubernetes.io/serviceaccount"].map((rest) => `c:/var/run/secrets${rest}`),
};

export function isSystemPath(path: string, system: OperatingSystem): boolean {
  const { trees, exact } = FORBIDDEN_PATHS[system];
  return placesOf(path, system).some((place) => exact.includes(place) || trees.some((tree) => isSameOrInside(place, tree)));
}

/** Why a mount at that path may keep a container from working, where it does not have to. */
export function riskOf(path: string, system: OperatingSystem): "pathOfTokens" | "pathOfImage" | undefined {
  const places = placesOf(path, system);
  if (places.some((place) => AROUND_TOKENS[system].includes(place))) return "pathOfTokens";
  return places.some((place) => HIDING[system].includes(place)) ? "pathOfImage" : undefined;
}
