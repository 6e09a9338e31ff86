import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression selects, with the labels that it looks at there. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

/**
 * Reads an expression by Prometheus's own grammar.
 *
 * @returns what it selects, and the labels that it groups and joins by
 * @throws Error where it is wrong
 */
export function readPromql(expression: string): { selectors: Selector[]; labels: string[] } {
  const selectors: Selector[] = [];
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter({ type, node, from, to }) {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`wrong near ${from}: ${expression}`);
      if (type.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      const selector = selectors.at(-1);
      const inSelector = node.parent?.name === 'VectorSelector';
      if (type.name === 'Identifier' && inSelector && selector !== undefined) selector.metric = text;
      if (type.name === 'UnquotedLabelMatcher') {
        const [, label = '', operator = '', value = ''] = /^\s*(\w+)\s*(=~|!~|!=|=)\s*"(.*)"\s*$/.exec(text) ?? [];
        selector?.matchers.push({ label, operator, value });
      }
      if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels') labels.push(text);
    },
  });
  return { selectors, labels };
}
