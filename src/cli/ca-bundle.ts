import { X509Certificate } from "node:crypto";

/** Every certificate of a PEM text, in its order. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      // Not a certificate: the API server ignores such a block as well.
      return [];
    }
  });
}

/** When the certificates of a webhook configuration's `caBundle` end, in milliseconds since the epoch. */
export function endsOf(caBundle: string | undefined): readonly number[] {
  const bundle = Buffer.from(caBundle ?? "", "base64").toString("utf8");
  return certificatesOf(bundle).map(({ validToDate }) => validToDate.getTime());
}

export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
