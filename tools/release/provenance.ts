/**
 * Writes the sources of a release as SLSA v1 provenance in an in-toto statement, without times, so that the same commit gives the same
 * text.
 */
import { PROJECT } from "../helm-chart/project.ts";
import { type BasePackage, packageUrl } from "./base-packages.ts";
import type { NodeProgram } from "./node-program.ts";

export const SLSA_PROVENANCE = "https://slsa.dev/provenance/v1";
export const COSIGN_SIGNATURE = "https://sigstore.dev/cosign/sign/v1";
export const CYCLONEDX = "https://cyclonedx.org/bom";

export interface Subject {
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** in-toto's statement about artifacts. */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

export function statement(subjects: readonly Subject[], predicateType: string, predicate: unknown): Statement {
  const subject = subjects.map(({ name, digest }) => ({ name, digest: { sha256: digest.replace("sha256:", "") } }));
  return { _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate };
}

export interface Sources {
  readonly version: string;
  readonly commit: string;
  /** SHA-256 of package-lock.json, which contains the checksum of every npm package. */
  readonly lockfile: string;
  readonly nodes: readonly NodeProgram[];
  readonly base: readonly BasePackage[];
  /** Registry for the image. Undefined if the image stays here. */
  readonly registry: string | undefined;
}

/** The builder: a workflow, according to the variables of GitHub's runners, otherwise a person's machine. */
export function builder(environment: Readonly<Record<string, string | undefined>>): { readonly id: string; readonly invocation?: string } {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_WORKFLOW_REF: workflow, GITHUB_RUN_ID: run } = environment;
  if (server === undefined || workflow === undefined) return { id: `${PROJECT.homepage}/docs/how-to/build-a-release#by-hand` };
  return {
    id: `${server}/${workflow}`,
    invocation: `${server}/${repository}/actions/runs/${run}/attempts/${environment["GITHUB_RUN_ATTEMPT"] ?? "1"}`,
  };
}

export function provenance(subjects: readonly Subject[], sources: Sources, by: ReturnType<typeof builder>): Statement {
  const { version, commit, lockfile, nodes, base, registry } = sources;
  return statement(subjects, SLSA_PROVENANCE, {
    buildDefinition: {
      buildType: `${PROJECT.homepage}/docs/how-to/build-a-release#build-type`,
      externalParameters: { version, ...(registry === undefined ? {} : { registry }) },
      internalParameters: {},
      resolvedDependencies: [
        { uri: `git+${PROJECT.repository}`, digest: { gitCommit: commit } },
        { uri: "package-lock.json", digest: { sha256: lockfile } },
        ...nodes.map((node) => ({ uri: `pkg:npm/${node.package}@${node.version}`, digest: { sha512: node.sha512 } })),
        ...base.map((each) => ({ uri: packageUrl(each), digest: { sha256: each.sha256 } })),
      ],
    },
    runDetails: {
      builder: { id: by.id },
      ...(by.invocation === undefined ? {} : { metadata: { invocationId: by.invocation } }),
    },
  });
}
