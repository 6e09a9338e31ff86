import { isMet, type Row } from './bench.ts';
import { figure, targetText } from './table.ts';

const width = 930;
const barStart = 450;
const barWidth = 260;
const lineHeight = 44;
const top = 48;
/** Longer bars are cut off, in shares of the target: a miss matters more than its size. */
const longest = 2;

/**
 * An SVG with a bar for each measured row, which shows how much of its target is used up. All targets are one line, and shorter
 * is better, whatever the unit. The colours follow the reader's light or dark page.
 */
export function chart(rows: readonly Row[]): string {
  // A target of zero has no shares.
  const measured = rows.filter(({ measured, target }) => measured !== undefined && target.value > 0);
  const height = top + measured.length * lineHeight + 12;
  const atTarget = barStart + barWidth / longest;
  const bars = measured.map((row, index) => bar(row, top + index * lineHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">
<title id="t">How much of what each target allows is taken: shorter is better</title>
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.quiet { font-size: 12px; fill: #59636e }
.met { fill: #1a7f37 }
.missed { fill: #bc4c00 }
line { stroke: #59636e; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.quiet { fill: #9198a1 }
.met { fill: #3fb950 }
.missed { fill: #db6d28 }
line { stroke: #9198a1 }
}
</style>
<text class="quiet" x="${atTarget}" y="20" text-anchor="middle">target</text>
<line x1="${atTarget}" y1="28" x2="${atTarget}" y2="${height - 12}"/>
${bars.join('\n')}
</svg>
`;
}

function bar(row: Row, y: number): string {
  const { what, against, target, measured } = row;
  if (measured === undefined) return '';
  const share = target.bound === 'at most' ? measured.median / target.value : target.value / measured.median;
  const length = (barWidth * Math.min(Math.max(share, 0), longest)) / longest;
  const beside = against === '' ? targetText(target) : `${targetText(target)}, against ${against}`;
  const met = isMet(row);
  return [
    `<text x="12" y="${y + 14}">${escapeXml(what)}</text>`,
    `<text class="quiet" x="12" y="${y + 31}">${escapeXml(beside)}</text>`,
    `<rect class="${met ? 'met' : 'missed'}" x="${barStart}" y="${y + 4}" width="${length.toFixed(1)}" height="22" rx="3"/>`,
    `<text x="${barStart + barWidth + 12}" y="${y + 20}">${figure(measured.median)} ${target.unit}${met ? '' : ' (missed)'}</text>`,
  ].join('\n');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
