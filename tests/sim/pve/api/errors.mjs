/** An answer that is not a success, in the words of PVE's exceptions. */
export class ApiError extends Error {
	/**
	 * @param {number} status
	 * @param {string} message its first line becomes the reason phrase
	 * @param {Record<string, string>} [errors] by parameter name
	 */
	constructor(status, message, errors) {
		super(message);
		this.status = status;
		this.errors = errors;
	}
}

/** A plain `die` in a handler: business logic refuses. */
export const die = (message) => {
	throw new ApiError(500, `${message}\n`);
};

/** Parameters are wrong. @param {Record<string, string>} errors */
export const badParams = (errors) =>
	new ApiError(400, 'Parameter verification failed.\n', errors);

/** @param {string} [detail] such as `/vms/100, VM.Audit` */
export const forbidden = (detail) =>
	new ApiError(403, `Permission check failed${detail ? ` (${detail})` : ''}\n`);

/** An answer of the hop between two nodes: no body at all. */
export class PathError extends Error {
	constructor(status, reason) {
		super(reason);
		this.status = status;
	}
}

/** The request is never answered. */
export class Hang extends Error {}
