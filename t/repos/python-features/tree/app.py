import flask

print("hello from flask")
