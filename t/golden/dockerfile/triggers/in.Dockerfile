FROM a
ONBUILD COPY <<E /x
	body
E
onbuild --x RUN ["a"]
HEALTHCHECK none
UNKNOWN a b
USER a b
