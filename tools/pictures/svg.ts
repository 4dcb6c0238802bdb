export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Lines of CSS. */
  readonly style: readonly string[];
  /** Elements, one per line. */
  readonly parts: readonly string[];
}

export function svg({ width, height, title, style, parts }: Picture): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    "<style>",
    ...style,
    "</style>",
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}
