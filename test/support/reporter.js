import mocha from 'mocha';

const { JSON: JsonReporter, Spec } = mocha.reporters;

/** Shows the specs as they run, and writes mocha's JSON report into the folder that MOCHA_REPORT names, if any. */
export default class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const folder = process.env['MOCHA_REPORT'];
    const output = `${folder}/${process.pid}.json`;
    if (folder) new JsonReporter(runner, { ...options, reporterOption: { output } });
  }
}
