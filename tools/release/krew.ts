import { stringify } from "yaml";

/** One archive of the command line in a release. */
export interface KrewArchive {
  readonly os: "linux" | "darwin" | "windows";
  readonly arch: "amd64" | "arm64";
  /** Address that starts with `https://`. */
  readonly uri: string;
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string;
  /** Path of the program in the archive. krew links `kubectl-keyvault` to it. */
  readonly program: string;
}

export interface KrewRelease {
  readonly version: string;
  readonly homepage: string;
  readonly archives: readonly KrewArchive[];
}

const DESCRIPTION = `Says why a pod gets its Azure Key Vault secrets or does not (explain), checks an install and
walks a class up to its vault (doctor), shows manifests with what is injected into their pods (render),
and restores classes from their snapshots (restore). Looks with your own rights, and prints no value of a
Secret.
`;

/** The plugin manifest for `kubectl krew install keyvault`. */
export function krewManifest({ version, homepage, archives }: KrewRelease): string {
  return stringify({
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "keyvault" },
    spec: {
      version: `v${version}`,
      homepage,
      shortDescription: "Check and explain Azure Key Vault secrets",
      description: DESCRIPTION,
      platforms: archives.map(({ os, arch, uri, sha256, program }) => ({
        selector: { matchLabels: { os, arch } },
        uri,
        sha256,
        bin: program,
      })),
    },
  });
}
