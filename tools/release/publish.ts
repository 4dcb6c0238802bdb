/** Pushes a release, and attaches a signature and the provenance to each of its artifacts, and a bill of materials to images. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORIES, type Release } from "./make-release.ts";
import type { Descriptor } from "./oci-layout.ts";
import { ARCHITECTURES } from "./platform.ts";
import { COSIGN_SIGNATURE, CYCLONEDX, SLSA_PROVENANCE, statement } from "./provenance.ts";
import type { Registry } from "./registry.ts";
import type { Sign } from "./sign.ts";

const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** Returns `<repository>:<tag>@<digest>` of each pushed artifact. Without `sign`, attaches nothing. */
export async function publish(release: Release, registry: Registry, sign: Sign | undefined): Promise<readonly string[]> {
  const pushed = await registry.pushLayout(release.layout);
  if (sign !== undefined) await attachSigned(release, registry, sign);
  return pushed.map(({ repository, tag, digest }) => `${repository}:${tag}@${digest}`);
}

/** Writes the signed provenance next to the files. `cosign verify-blob-attestation` finds each file in it. */
export async function writeSignedProvenance(release: Release, sign: Sign): Promise<string> {
  const bundle = await sign(release.provenance);
  writeFileSync(path.join(release.folder, "provenance.sigstore.json"), bundle);
  return bundle;
}

async function attachSigned(release: Release, registry: Registry, sign: Sign): Promise<void> {
  const attach = (repository: string, subject: Descriptor, predicateType: string, bundle: string) =>
    registry.attach(repository, subject, bundle, {
      mediaType: BUNDLE,
      annotations: { "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": predicateType },
    });
  const made = await writeSignedProvenance(release, sign);
  const images = ARCHITECTURES.map((each) => ({
    repository: REPOSITORIES.image,
    descriptor: release.image.manifests[each],
    bom: release.boms[each],
  }));
  const artifacts = Object.entries(release.artifacts).map(([kind, descriptor]) => ({
    repository: REPOSITORIES[kind as keyof typeof REPOSITORIES],
    descriptor,
    bom: undefined,
  }));
  for (const { repository, descriptor, bom } of [...artifacts, ...images]) {
    const subject = [{ name: repository, digest: descriptor.digest }];
    await attach(repository, descriptor, COSIGN_SIGNATURE, await sign(statement(subject, COSIGN_SIGNATURE, {})));
    await attach(repository, descriptor, SLSA_PROVENANCE, made);
    if (bom !== undefined) await attach(repository, descriptor, CYCLONEDX, await sign(statement(subject, CYCLONEDX, bom)));
  }
}
