/** Platforms of a release, with the names that each ecosystem uses. */
export const ARCHITECTURES = ["amd64", "arm64"] as const;

export type Architecture = (typeof ARCHITECTURES)[number];

/** Name in npm and Node. */
export const NODE_ARCH = { amd64: "x64", arm64: "arm64" } as const satisfies Record<Architecture, string>;
