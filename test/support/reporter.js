import mocha from 'mocha';

const { JSON: JsonReporter, Spec } = mocha.reporters;

/** Shows the specs as they run, and writes mocha's JSON report to the file that MOCHA_REPORT names, if any. */
export default class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const output = process.env['MOCHA_REPORT'];
    if (output) new JsonReporter(runner, { ...options, reporterOption: { output } });
  }
}
