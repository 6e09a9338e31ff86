import axe from 'axe-core';
import type { Page } from 'puppeteer-core';

/** What a person sees of a page, measured. */
export interface Look {
  /** How much wider than the window it is, in CSS pixels. */
  overflow: number;
  height: number;
  lang: string;
  title: string;
  headings: number;
  primaries: number;
  /** Things to press that are too small for a finger. */
  small: string[];
  /** Text with a contrast below 4.5:1 (WCAG 2.2, 1.4.3). */
  faint: string[];
  /** Parts of the drawing with a contrast below 3:1 (WCAG 2.2, 1.4.11). */
  faintParts: string[];
  /** Blocks that do not begin at the card's left edge, and text that is not aligned with it. */
  offAxis: string[];
  dark: boolean;
}

/** What axe finds wrong: the rules, and the first element of each. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { preload: false });
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  });
}

export function look(page: Page): Promise<Look> {
  return page.evaluate(measure);
}

/** Runs in the page. */
function measure(): Look {
  const channel = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([red = 0, green = 0, blue = 0]: number[]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const contrast = (one: number[], other: number[]) => {
    const pair = [luminance(one), luminance(other)];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const behind = (element: Element | null): number[] => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const name = (element: Element) => `${element.tagName} ${element.textContent?.slice(0, 30)}`;
  const shown = (selector: string) =>
    [...document.querySelectorAll(selector)].filter((element) => element.getClientRects().length > 0);

  const faint: string[] = [];
  for (const element of shown('.card *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    if (!hasText) continue;
    const ratio = contrast(parse(getComputedStyle(element).color), behind(element));
    if (ratio < 4.5) faint.push(`${name(element)} ${ratio.toFixed(2)}`);
  }

  const faintParts: string[] = [];
  for (const key of shown('.key')) {
    const style = (part: string) => getComputedStyle(key.querySelector(`.key-${part}`) as Element);
    const body = parse(style('body').fill);
    const disc = style('disc').fill === 'none' ? body : parse(style('disc').fill);
    const edge = style('disc').fill === 'none' ? parse(style('disc').stroke) : disc;
    const parts = {
      'the key on the card': contrast(parse(style('body').stroke), behind(key)),
      'the disc on the key': contrast(edge, body),
      'the sign on the disc': contrast(parse(style('mark').stroke), disc),
    };
    for (const [part, ratio] of Object.entries(parts)) if (ratio < 3) faintParts.push(`${part} ${ratio.toFixed(2)}`);
  }

  const targets = shown('button, input, summary, a:not(.link)');
  const axis = document.querySelector('.card main')?.getBoundingClientRect().left ?? 0;
  const blocks = shown('.card > *, main > *, .status > *, .status [role=status] > *, .rows > *, .row > *, .form > *');
  const isOff = (block: Element) =>
    Math.abs(block.getBoundingClientRect().left - axis) > 1 || getComputedStyle(block).textAlign !== 'start';
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    height: document.documentElement.scrollHeight,
    lang: document.documentElement.lang,
    title: document.title,
    headings: shown('h1').length,
    primaries: shown('[data-primary]').length,
    small: targets.filter((target) => target.getBoundingClientRect().height < 44).map(name),
    faint,
    faintParts,
    offAxis: blocks.filter(isOff).map(name),
    dark: luminance(behind(document.body)) < 0.1,
  };
}
